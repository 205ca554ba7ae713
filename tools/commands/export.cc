// obliq export: what a collection holds now as an index of one file. It reads only, so a writer may
// go on.
#include <fmt/core.h>

#include <chrono>
#include <string>
#include <vector>

#include "index/open_written.h"
#include "obliq/collection.h"
#include "tools/command.h"
#include "tools/describe.h"
#include "tools/flags.h"
#include "tools/interrupt.h"
#include "tools/keys.h"
#include "tools/outputs.h"

namespace obliq::tools {
namespace {

class Export final : public Command {
 public:
  void add_flags(CLI::App& app) override {
    app.add_option("collection", directory_, "Directory of the collection")->required();
    app.add_option("-o,--output", output_, "Index to write")->required();
    app.add_option(
           "--keys", keys_,
           "Where ids are strings: text file to write, a line per vector, its number in the "
           "index, a tab, its id")
        ->check(file_name());
    add_json(app, json_);
  }

  int run() override {
    check_outputs(keys_.empty() ? std::vector{output_} : std::vector{output_, keys_}, {directory_});
    refuse_foreign_suffix(output_, "an index");
    const Collection collection = Collection::open(directory_, {.read_only = true});
    if (!keys_.empty()) require_ids(collection, directory_, IdType::string);
    const auto start = std::chrono::steady_clock::now();
    {
      const HoldInterrupts held;
      collection.export_index(output_);
      if (!keys_.empty()) write_numbered_keys(collection, keys_);
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    if (!is_stream(output_)) print(open_written(output_).stats(), seconds.count());
    return kOk;
  }

 private:
  void print(const IndexStats& stats, double seconds) const {
    if (json_) {
      nlohmann::ordered_json json = stats_json(stats);
      json["output"] = output_;
      json["export_seconds"] = seconds;
      return print_json(json);
    }
    fmt::print("{}: {} (exported in {:.2f} s)\n", output_, stats_line(stats), seconds);
  }

  std::string directory_;
  std::string output_;
  std::string keys_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_export() { return std::make_unique<Export>(); }

}  // namespace obliq::tools

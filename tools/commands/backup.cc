// obliq backup: what a collection holds now as a collection in a new directory. It reads only, so a
// writer may go on.
#include <fmt/core.h>

#include <chrono>
#include <string>

#include "obliq/collection.h"
#include "tools/collections.h"
#include "tools/command.h"
#include "tools/flags.h"
#include "tools/interrupt.h"
#include "tools/progress_bar.h"

namespace obliq::tools {
namespace {

class Backup final : public Command {
 public:
  void add_flags(CLI::App& app) override {
    app.add_option("collection", directory_, "Directory of the collection")->required();
    app.add_option("folder", folder_, "Directory to make; may be there if it is empty")->required();
    add_json(app, json_);
  }

  int run() override {
    const Collection collection = Collection::open(directory_, {.read_only = true});
    const auto start = std::chrono::steady_clock::now();
    {
      ProgressBar bar("backup");
      const HoldInterrupts held;
      collection.backup(folder_, bar.callback());
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    print(Collection::open(folder_, {.read_only = true}).stats(), seconds.count());
    return kOk;
  }

 private:
  void print(const CollectionStats& stats, double seconds) const {
    if (json_) {
      nlohmann::ordered_json json = collection_json(stats);
      json["collection"] = folder_;
      json["directory_bytes"] = directory_bytes(folder_);
      json["backup_seconds"] = seconds;
      return print_json(json);
    }
    fmt::print("{}: {} (a backup of {}, made in {:.2f} s)\n", folder_, collection_line(stats),
               directory_, seconds);
  }

  std::string directory_;
  std::string folder_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_backup() { return std::make_unique<Backup>(); }

}  // namespace obliq::tools

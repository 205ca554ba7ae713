// obliq compact: one segment of a collection's, without the deleted vectors, and then whatever the
// background has to do: train where the collection has outgrown its model, tune.
#include <fmt/core.h>

#include <chrono>
#include <string>

#include "obliq/collection.h"
#include "tools/collections.h"
#include "tools/command.h"
#include "tools/describe.h"
#include "tools/flags.h"
#include "tools/progress_bar.h"

namespace obliq::tools {
namespace {

class Compact final : public Command {
 public:
  void add_flags(CLI::App& app) override {
    app.add_option("collection", directory_, "Directory of the collection")->required();
    add_threads(app, access_.threads, "Threads to train and tune with");
    add_json(app, json_);
  }

  int run() override {
    const auto start = std::chrono::steady_clock::now();
    Collection collection = Collection::open(directory_, access_);
    const CollectionStats before = collection.stats();
    ProgressBar bar("compact");
    collection.compact(bar.callback());
    collection.wait();
    const CollectionStats after = collection.stats();
    collection.close();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    print(before, after, seconds.count());
    return kOk;
  }

 private:
  void print(const CollectionStats& before, const CollectionStats& after, double seconds) const {
    if (json_) {
      nlohmann::ordered_json json = collection_json(after);
      json["collection"] = directory_;
      json["segments_before"] = before.segments;
      json["deleted_rows_before"] = before.deleted_rows;
      json["file_bytes_before"] = before.file_bytes;
      json["compact_seconds"] = seconds;
      return print_json(json);
    }
    fmt::print("{}: {} (compacted in {:.2f} s from {} segments, {} deleted rows, {})\n", directory_,
               collection_line(after), seconds, before.segments, before.deleted_rows,
               bytes_text(static_cast<double>(before.file_bytes)));
  }

  std::string directory_;
  CollectionAccess access_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_compact() { return std::make_unique<Compact>(); }

}  // namespace obliq::tools

// obliq import: the vectors of an index of one file into a collection, with their ids: exact from a
// raw tier, else decoded from their codes.
#include <fmt/core.h>

#include <chrono>
#include <string>

#include "obliq/collection.h"
#include "obliq/index.h"
#include "tools/collection_flags.h"
#include "tools/collections.h"
#include "tools/command.h"
#include "tools/flags.h"
#include "tools/progress_bar.h"
#include "tools/table.h"

namespace obliq::tools {
namespace {

class Import final : public Command {
 public:
  void add_flags(CLI::App& app) override {
    app.add_option("collection", directory_, "Directory; made when it is not there")->required();
    app.add_option("index", index_, "Index of one file, whose ids the collection must not have")
        ->required();
    flags_.add_flags(app);
    app.add_flag("--wait", wait_,
                 "Wait until nothing is left to do in the background: training, merging, tuning");
    add_threads(app, access_.threads, "Threads to encode, train and tune with");
    add_json(app, json_);
  }

  int run() override {
    const IndexStats index = Index::open(index_).stats();
    flags_.set_columns(index.columns);
    Collection collection = flags_.open_or_create(directory_, index.dim, index.metric, access_);
    ProgressBar bar("import");
    const auto start = std::chrono::steady_clock::now();
    const std::size_t imported = collection.import_index(index_, bar.callback());
    collection.sync();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    bar.clear();
    if (wait_) collection.wait();
    const CollectionStats stats = collection.stats();
    collection.close();
    print(stats, imported, seconds.count());
    return kOk;
  }

 private:
  void print(const CollectionStats& stats, std::size_t imported, double seconds) const {
    const double rate = imported == 0 ? 0 : static_cast<double>(imported) / seconds;
    if (json_) {
      nlohmann::ordered_json json = collection_json(stats);
      json["collection"] = directory_;
      json["imported"] = imported;
      json["import_seconds"] = seconds;
      json["vectors_per_second"] = rate;
      return print_json(json);
    }
    fmt::print("{}: imported {} vectors in {:.2f} s, {} per second ({})\n", directory_, imported,
               seconds, rate_text(rate), collection_line(stats));
  }

  std::string directory_;
  std::string index_;
  CollectionFlags flags_;
  CollectionAccess access_;
  bool wait_ = false;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_import() { return std::make_unique<Import>(); }

}  // namespace obliq::tools

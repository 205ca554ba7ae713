// obliq info: what an index is made of, and how many threads its searches take by default; what a
// collection, a model or a segment is.
#include <fmt/core.h>

#include <stdexcept>

#include "core/default_threads.h"
#include "obliq/index.h"
#include "tools/collections.h"
#include "tools/column_flags.h"
#include "tools/command.h"
#include "tools/describe.h"
#include "tools/flags.h"
#include "tools/parts.h"

namespace obliq::tools {
namespace {

class Info final : public Command {
 public:
  void add_flags(CLI::App& app) override {
    app.add_option("index", index_, "Index, collection, model or segment")->required();
    auto* json = app.add_flag("--json", json_, "Print JSON, one object per line");
    app.add_flag("--prometheus", prometheus_,
                 "Of a collection: its figures in the text format of Prometheus")
        ->excludes(json);
  }

  int run() override {
    if (is_collection(index_)) {
      print_collection(Collection::open(index_, {.read_only = true}));
      return kOk;
    }
    if (prometheus_) {
      throw std::invalid_argument(index_ + " is no collection: leave out --prometheus");
    }
    switch (file_kind(index_)) {
      case FileKind::model:
        print_part(model_json(Model::open(index_).stats()));
        break;
      case FileKind::segment:
        print_part(segment_json(index_));
        break;
      case FileKind::index:
        print_index(Index::open(index_).stats());
        break;
    }
    return kOk;
  }

 private:
  void print_collection(const Collection& collection) const {
    const CollectionStats stats = collection.stats();
    if (prometheus_) {
      fmt::print("{}", to_prometheus(stats, {{"collection", index_}}));
      return;
    }
    nlohmann::ordered_json json = collection_json(stats);
    json["id_type"] = to_string(collection.options().ids);
    json["directory_bytes"] = directory_bytes(index_);
    json.update(collection_figures_json(stats));
    if (!json_) json["columns"] = schema_text(stats.columns);
    print_part(json);
  }

  void print_part(const nlohmann::ordered_json& json) const {
    if (json_) return print_json(json);
    fmt::print("{}", json_text(json));
  }

  void print_index(const IndexStats& stats) const {
    const ThreadDefault threads = default_threads();
    if (json_) {
      nlohmann::ordered_json json = stats_json(stats);
      json["default_threads"] = threads.threads;
      json["default_threads_from"] = threads.from;
      print_json(json);
    } else {
      fmt::print("{}\n{} thread{} by default: {}\n", stats_text(stats), threads.threads,
                 threads.threads == 1 ? "" : "s", threads.from);
    }
  }

  std::string index_;
  bool json_ = false;
  bool prometheus_ = false;
};

}  // namespace

std::unique_ptr<Command> make_info() { return std::make_unique<Info>(); }

}  // namespace obliq::tools

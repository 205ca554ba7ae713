// obliq info: what an index is made of, and how many threads its searches take by default; what a
// collection, a model or a segment is.
#include <fmt/core.h>

#include "core/default_threads.h"
#include "obliq/index.h"
#include "tools/collections.h"
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
    add_json(app, json_);
  }

  int run() override {
    if (is_collection(index_)) {
      print_part(collection_info());
      return kOk;
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
  nlohmann::ordered_json collection_info() const {
    nlohmann::ordered_json json =
        collection_json(Collection::open(index_, {.read_only = true}).stats());
    json["directory_bytes"] = directory_bytes(index_);
    return json;
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
};

}  // namespace

std::unique_ptr<Command> make_info() { return std::make_unique<Info>(); }

}  // namespace obliq::tools

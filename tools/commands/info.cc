// obliq info: what an index is made of, and how many threads its searches take by default.
#include <fmt/core.h>

#include "core/default_threads.h"
#include "obliq/index.h"
#include "tools/command.h"
#include "tools/describe.h"
#include "tools/flags.h"

namespace obliq::tools {
namespace {

class Info final : public Command {
 public:
  void add_flags(CLI::App& app) override {
    app.add_option("index", index_, "Index")->required();
    add_json(app, json_);
  }

  int run() override {
    const IndexStats stats = Index::open(index_).stats();
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
    return kOk;
  }

 private:
  std::string index_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_info() { return std::make_unique<Info>(); }

}  // namespace obliq::tools

// obliq info: what an index is made of.
#include <fmt/core.h>

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
    if (json_) {
      print_json(stats_json(stats));
    } else {
      fmt::print("{}", stats_text(stats));
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

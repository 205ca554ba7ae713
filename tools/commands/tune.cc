// obliq tune: calibrates target recalls with learn queries, and writes the outcome into the index.
#include <fmt/core.h>

#include <string>

#include "obliq/index.h"
#include "tools/command.h"
#include "tools/describe.h"
#include "tools/flags.h"
#include "tools/inputs.h"
#include "tools/interrupt.h"
#include "tools/outputs.h"
#include "tools/progress_bar.h"
#include "tools/tune_flags.h"

namespace obliq::tools {
namespace {

class Tune final : public Command {
 public:
  void add_flags(CLI::App& app) override {
    app.add_option("index", index_, "Index; it is replaced")->required();
    learn_.add_flags(app, "base vectors stand in");
    inputs_.add_format(app);
    add_threads(app, options_.threads, "Threads to use; the outcome does not depend on them");
    add_json(app, json_);
  }

  int run() override {
    check_outputs({index_}, learn_.files());
    inputs_.settle(learn_.files());
    Index index = Index::open(index_);
    const IndexStats before = index.stats();
    constexpr std::size_t kPosition = 4;  // bytes per vector; ids that were given take more
    learn_.read(inputs_, before.n, before.id_bytes == kPosition * before.n);
    ProgressBar bar("tune");
    options_.progress = bar.callback();
    learn_.tune(index, options_);
    save(index);
    bar.clear();
    const IndexStats stats = index.stats();
    if (json_) {
      print_json({{"index", index_}, {"tuning", tuning_json(stats.tuning)}});
    } else {
      fmt::print("{}", tuning_text(stats.tuning));
    }
    return kOk;
  }

 private:
  void save(const Index& index) const {
    const HoldInterrupts held;
    index.save(index_);
  }

  std::string index_;
  TuneFlags learn_;
  Inputs inputs_;
  TuneOptions options_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_tune() { return std::make_unique<Tune>(); }

}  // namespace obliq::tools

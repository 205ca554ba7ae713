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

namespace obliq::tools {
namespace {

class Tune final : public Command {
 public:
  void add_flags(CLI::App& app) override {
    app.add_option("index", index_, "Index; it is replaced")->required();
    app.add_option("--learn-queries", learn_queries_,
                   "Queries like those to come; HDF5: FILE:dataset, default learn_queries, else "
                   "learn; without them base vectors stand in")
        ->check(file_name());
    inputs_.add_format(app);
    add_threads(app, options_.threads, "Threads to use; the outcome does not depend on them");
    add_json(app, json_);
  }

  int run() override {
    check_outputs({index_}, {learn_queries_});
    inputs_.settle({learn_queries_});
    Index index = Index::open(index_);
    const auto queries = inputs_.read(learn_queries_, "learn_queries");
    ProgressBar bar("tune");
    options_.progress = bar.callback();
    index.tune(queries.view(), options_);
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
  std::string learn_queries_;
  Inputs inputs_;
  TuneOptions options_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_tune() { return std::make_unique<Tune>(); }

}  // namespace obliq::tools

// obliq build: an index from a file of vectors.
#include <fmt/core.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include "index/open_written.h"
#include "obliq/index.h"
#include "tools/column_flags.h"
#include "tools/command.h"
#include "tools/describe.h"
#include "tools/flags.h"
#include "tools/interrupt.h"
#include "tools/learn_flags.h"
#include "tools/outputs.h"
#include "tools/progress_bar.h"
#include "tools/tune_flags.h"

namespace obliq::tools {
namespace {

class Build final : public Command {
 public:
  void add_flags(CLI::App& app) override {
    learn_.add_flags(app, "the index");
    app.add_option("-o,--output", output_, "Index to write")->required();
    columns_.add_flags(app);
    CLI::Option* no_tune =
        app.add_flag("!--no-tune", learn_.options().tune,
                     "Do not calibrate target recalls (obliq tune does so later)");
    tune_.add_flags(app, "target recalls are calibrated with base vectors");
    app.get_option("--learn-queries")->excludes(no_tune);
    add_max_memory(app, learn_.options().max_memory,
                   "Memory that the build may take, as 2GB or 500MB; the rest is staged in "
                   "temporary files");
    add_json(app, json_);
  }

  int run() override {
    std::vector<std::string> files = learn_.files();
    for (const std::string& file : columns_.files()) files.push_back(file);
    for (const std::string& file : tune_.files()) files.push_back(file);
    check_outputs({output_}, files);
    refuse_foreign_suffix(output_, "an index");
    learn_.read();
    const auto base = learn_.open_base();
    read_learn_queries(base->rows());
    learn_.warn_of_small_lists("obliq build", base->rows());
    ProgressBar bar("build");
    learn_.options().progress = bar.callback();
    const Columns columns = columns_.read_of(learn_.base(), base->rows(), {}, bar.callback());
    learn_.options().columns = columns;
    const auto start = std::chrono::steady_clock::now();
    write(*base);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    bar.clear();
    if (!is_stream(output_)) print(open_written(output_).stats(), seconds.count());
    return kOk;
  }

 private:
  // What codes lose is known from true neighbours; else the build measures it.
  void read_learn_queries(std::size_t n) {
    if (!tune_.has_queries()) return;
    if (is_stream(output_)) {
      throw std::invalid_argument("--learn-queries: '" + output_ +
                                  "' is a stream, which cannot be tuned: name a file");
    }
    tune_.read(learn_.inputs(), n, learn_.options().ids.rows == 0);
    if (tune_.has_neighbours()) learn_.options().tune = false;
  }

  void write(const VectorSource& base) {
    const HoldInterrupts held;
    Index::build_file(base, output_, learn_.options());
    if (!tune_.has_queries()) return;
    Index index = open_written(output_);
    tune_.tune(index, {learn_.options().threads, learn_.options().progress, {}});
    index.save(output_);
  }

  void print(const IndexStats& stats, double seconds) const {
    if (json_) {
      nlohmann::ordered_json json = stats_json(stats);
      json["output"] = output_;
      json["build_seconds"] = seconds;
      return print_json(json);
    }
    fmt::print("{}: {} (built in {:.2f} s)\n", output_, stats_line(stats), seconds);
  }

  LearnFlags learn_;
  ColumnFlags columns_;
  TuneFlags tune_;
  std::string output_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_build() { return std::make_unique<Build>(); }

}  // namespace obliq::tools

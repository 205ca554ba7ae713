// obliq generate: a synthetic set with queries and ground truth.
#include "datasets/generate.h"

#include <fmt/core.h>

#include "datasets/groundtruth.h"
#include "tools/command.h"
#include "tools/flags.h"
#include "tools/interrupt.h"
#include "tools/outputs.h"
#include "tools/progress_bar.h"

namespace obliq::tools {
namespace {

class Generate final : public Command {
 public:
  void add_flags(CLI::App& app) override {
    app.add_option("kind", options_.kind,
                   "gaussian: every coordinate alike; clustered: Gaussian "
                   "clusters with a power-law spectrum")
        ->required()
        ->check(CLI::IsMember({"gaussian", "clustered"}));
    app.add_option("-o,--output", output_, "Set to write (.hdf5)")->required();
    app.add_option("--n", options_.n, "Base vectors")->capture_default_str();
    app.add_option("--dim", options_.dim, "Dimensions")->capture_default_str();
    app.add_option("--queries", options_.queries, "Queries")->capture_default_str();
    app.add_option("--learn-queries", options_.learn_queries,
                   "More queries, to learn from: for 'build --train-queries'")
        ->capture_default_str();
    app.add_option("-k", k_, "True neighbours per query to store")->capture_default_str();
    app.add_option("--clusters", options_.clusters, "clustered: clusters (0: about sqrt(n))")
        ->capture_default_str();
    app.add_option("--alpha", options_.alpha, "clustered: eigenvalues decrease as i^-alpha")
        ->capture_default_str();
    app.add_option("--within", options_.within, "clustered: share of variance within clusters")
        ->capture_default_str();
    app.add_option("--query-shift", options_.query_shift,
                   "clustered: how far queries are moved away from the base (0: not)")
        ->capture_default_str();
    app.add_option("--query-alpha", options_.query_alpha,
                   "clustered: alpha of the queries within clusters; default: that of the base");
    app.add_option("--query-skew", options_.query_skew,
                   "clustered: queries pick cluster i as often as i^-skew (0: all alike)")
        ->capture_default_str();
    app.add_flag("--float16", float16_, "Store vectors as float16; they are rounded first");
    add_metric(app, metric_, "l2");
    add_seed(app, options_.seed);
    add_threads(app, threads_, "Threads to use");
    add_json(app, json_);
  }

  int run() override {
    check_outputs({output_}, {});
    require_suffix(output_, {".hdf5", ".h5"}, "a set");
    if (!metric_.empty()) options_.metric = parse_metric(metric_);
    options_.stored = float16_ ? datasets::Stored::float16 : datasets::Stored::float32;
    ProgressBar bar("generate");
    datasets::BenchmarkSet set = datasets::generate(options_, threads_);
    set.truth = datasets::ground_truth(MatrixSource(set.train.view()), set.test.view(), k_,
                                       options_.metric, threads_, bar.callback());
    write(set, bar.callback());
    bar.clear();
    if (json_) {
      print_json({{"output", output_},
                  {"kind", options_.kind},
                  {"n", set.train.rows},
                  {"dim", set.train.cols},
                  {"queries", set.test.rows},
                  {"learn_queries", set.learn_queries.rows},
                  {"k", k_},
                  {"metric", to_string(options_.metric)},
                  {"seed", options_.seed}},
                 beside(output_));
    } else {
      fmt::print(beside(output_),
                 "{}: {} base vectors of dim {}, {} queries with {} true neighbours, {}\n", output_,
                 set.train.rows, set.train.cols, set.test.rows, k_, to_string(options_.metric));
    }
    return kOk;
  }

 private:
  void write(const datasets::BenchmarkSet& set, const Progress& progress) const {
    const HoldInterrupts held;
    datasets::write_set(output_, set, options_.stored, progress);
  }

  datasets::GenerateOptions options_;
  std::string output_;
  std::string metric_;
  std::size_t k_ = 100;
  int threads_ = 0;
  bool float16_ = false;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_generate() { return std::make_unique<Generate>(); }

}  // namespace obliq::tools

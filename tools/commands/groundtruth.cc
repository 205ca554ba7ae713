// obliq groundtruth: exact nearest neighbours. Written as an ann-benchmarks set with base, queries
// and truth, or as a big-ann truth file (.bin) with the truth alone.
#include "datasets/groundtruth.h"

#include <fmt/core.h>

#include <stdexcept>

#include "tools/command.h"
#include "tools/flags.h"
#include "tools/inputs.h"
#include "tools/interrupt.h"
#include "tools/outputs.h"
#include "tools/progress_bar.h"

namespace obliq::tools {
namespace {

class Groundtruth final : public Command {
 public:
  void add_flags(CLI::App& app) override {
    app.add_option("base", base_, "Base vectors; HDF5: FILE:dataset, default train")->required();
    app.add_option("queries", queries_, "Queries; HDF5: FILE:dataset, default test")->required();
    app.add_option("-o,--output", output_, "Set to write (.hdf5), or truth alone (.bin)")
        ->required();
    app.add_option("-k", k_, "Neighbours per query")
        ->check(positive_count())
        ->capture_default_str();
    inputs_.add_format(app);
    add_metric(app, metric_, "that of BASE when it is an HDF5 set, else l2");
    add_threads(app, threads_, "Threads to use");
    add_json(app, json_);
  }

  int run() override {
    check_outputs({output_}, {base_, queries_});
    require_suffix(output_, {".hdf5", ".h5", ".bin"}, "ground truth");
    inputs_.settle({base_, queries_});
    const Metric metric = inputs_.metric(metric_, base_);
    const auto base = inputs_.open(base_, "train");
    datasets::BenchmarkSet set;
    set.metric = metric;
    set.test = inputs_.read(queries_, "test");
    ProgressBar bar("groundtruth");
    set.truth =
        datasets::ground_truth(*base, set.test.view(), k_, metric, threads_, bar.callback());
    write(*base, set, bar.callback());
    bar.clear();
    print(base->rows(), set);
    return kOk;
  }

 private:
  void write(const VectorSource& base, datasets::BenchmarkSet& set,
             const Progress& progress) const {
    const bool alone = output_.ends_with(".bin");
    if (!alone) set.train = datasets::read_all(base);
    const HoldInterrupts held;
    if (alone) return datasets::write_truth_bin(output_, set.truth);
    datasets::write_set(output_, set, datasets::Stored::float32, progress);
  }

  void print(std::size_t n, const datasets::BenchmarkSet& set) const {
    if (json_) {
      print_json({{"output", output_},
                  {"n", n},
                  {"dim", set.test.cols},
                  {"queries", set.test.rows},
                  {"k", k_},
                  {"metric", to_string(set.metric)}},
                 beside(output_));
      return;
    }
    fmt::print(beside(output_), "{}: the {} nearest of {} vectors for {} queries, {}\n", output_,
               k_, n, set.test.rows, to_string(set.metric));
  }

  Inputs inputs_;
  std::string base_;
  std::string queries_;
  std::string output_;
  std::string metric_;
  std::size_t k_ = 100;
  int threads_ = 0;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_groundtruth() { return std::make_unique<Groundtruth>(); }

}  // namespace obliq::tools

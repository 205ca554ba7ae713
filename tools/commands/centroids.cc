// obliq centroids: k-means alone, for indexes that are to have the same lists: `build --centroids`.
#include "tools/measure/centroids.h"

#include <fmt/core.h>

#include "datasets/dataset.h"
#include "tools/command.h"
#include "tools/flags.h"
#include "tools/inputs.h"
#include "tools/interrupt.h"
#include "tools/outputs.h"
#include "tools/progress_bar.h"

namespace obliq::tools {
namespace {

class MakeCentroids final : public Command {
 public:
  void add_flags(CLI::App& app) override {
    app.add_option("base", base_, "Base vectors; HDF5: FILE:dataset, default train")->required();
    app.add_option("-o,--output", output_, "Vectors to write; the name gives the format: .npy ...")
        ->required();
    add_output_format(app, output_format_);
    app.add_option("--nlist", options_.nlist, "Centroids")->required();
    app.add_option("--kmeans-iterations", options_.iterations, "Iterations of k-means")
        ->check(count_or_zero())
        ->capture_default_str();
    inputs_.add_format(app);
    add_metric(app, metric_, "that of BASE when it is an HDF5 set, else l2");
    add_seed(app, options_.seed);
    add_threads(app, options_.threads, "Threads to use; the centroids do not depend on them");
    add_json(app, json_);
  }

  int run() override {
    check_outputs({output_}, {base_});
    check_output_format(output_, output_format_);
    inputs_.settle({base_});
    const Metric metric = inputs_.metric(metric_, base_);
    Matrix<float> base = inputs_.read(base_, "train");
    if (metric == Metric::cosine) normalise(base);
    ProgressBar bar("centroids");
    const Matrix<float> centroids = train_centroids(base.view(), options_, bar.callback());
    write(centroids, bar.callback());
    bar.clear();
    if (json_) {
      print_json({{"output", output_}, {"nlist", centroids.rows}, {"dim", centroids.cols}},
                 beside(output_));
    } else {
      fmt::print(beside(output_), "{}: {} centroids of dim {}\n", output_, centroids.rows,
                 centroids.cols);
    }
    return kOk;
  }

 private:
  void write(const Matrix<float>& centroids, const Progress& progress) const {
    const HoldInterrupts held;
    datasets::write_vectors(output_, MatrixSource(centroids.view()),
                            {.format = output_format_, .progress = progress});
  }

  Inputs inputs_;
  CentroidOptions options_;
  std::string output_format_;
  std::string base_;
  std::string output_;
  std::string metric_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_centroids() { return std::make_unique<MakeCentroids>(); }

}  // namespace obliq::tools

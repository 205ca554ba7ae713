// obliq convert: vectors or ids from one file format to another; or, with --queries, loose files of
// base, queries and ground truth to one ann-benchmarks set.
#include <fmt/core.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <stdexcept>
#include <vector>

#include "core/exact_distance.h"
#include "core/safe_norm.h"
#include "datasets/dataset.h"
#include "tools/command.h"
#include "tools/flags.h"
#include "tools/inputs.h"
#include "tools/interrupt.h"
#include "tools/outputs.h"
#include "tools/progress_bar.h"

namespace obliq::tools {
namespace {

/// Distances as `obliq groundtruth` computes them: cosine by unit vectors of any length.
class Distances {
 public:
  Distances(Metric metric, std::size_t dim) : metric_(metric), query_(dim), row_(dim) {}

  void set_query(const float* query) { take(query, query_); }
  float to(const float* row) {
    take(row, row_);
    return exact_distance(metric_, query_.data(), row_.data(), row_.size());
  }

 private:
  void take(const float* x, std::vector<float>& out) const {
    std::copy_n(x, out.size(), out.begin());
    if (metric_ == Metric::cosine) obliq::normalise(out.data(), out.size());
  }

  Metric metric_;
  std::vector<float> query_;
  std::vector<float> row_;
};

/// Ground truth of ids alone: computes their distances. -1 (no neighbour) is infinitely far.
datasets::GroundTruth with_distances(Matrix<std::int64_t> ids, const Matrix<float>& base,
                                     const Matrix<float>& queries, Metric metric) {
  datasets::GroundTruth truth{std::move(ids), {}};
  truth.distances = Matrix<float>(truth.ids.rows, truth.ids.cols);
  Distances distances(metric, base.cols);
  for (std::size_t q = 0; q < truth.ids.rows; ++q) {
    distances.set_query(queries.row(q));
    for (std::size_t j = 0; j < truth.ids.cols; ++j) {
      const std::int64_t id = truth.ids.row(q)[j];
      if (id >= static_cast<std::int64_t>(base.rows) || id < -1) {
        throw std::invalid_argument(
            fmt::format("ground truth of query {} names vector {}, but the base has {} rows: give "
                        "that of these rows, or make it with 'obliq groundtruth'",
                        q, id, base.rows));
      }
      truth.distances.row(q)[j] = id < 0 ? std::numeric_limits<float>::infinity()
                                         : distances.to(base.row(static_cast<std::size_t>(id)));
    }
  }
  return truth;
}

class Convert final : public Command {
 public:
  void add_flags(CLI::App& app) override {
    app.add_option("input", input_, "Vectors; HDF5: FILE:dataset, default train")->required();
    app.add_option("-o,--output", output_,
                   "File to write; its name gives the format: .hdf5 .fvecs .bvecs .ivecs .fbin "
                   ".u8bin .i8bin .f16bin .ibin .npy")
        ->required();
    add_output_format(app, output_format_);
    auto* queries =
        app.add_option("--queries", queries_, "Queries: makes a set (.hdf5) with INPUT as base")
            ->check(file_name());
    app.add_option("--truth", truth_,
                   "True neighbours for the set: ids (.ivecs, .npy, HDF5) or a big-ann truth file "
                   "of any name; distances are computed")
        ->check(file_name())
        ->needs(queries);
    app.add_flag("--ids", only_ids_, "INPUT holds ids (HDF5: default neighbors): copy them exactly")
        ->excludes(queries);
    inputs_.add_format(app);
    add_metric(app, metric_, "that of INPUT when it is an HDF5 set, else l2");
    add_json(app, json_);
  }

  int run() override {
    check_outputs({output_}, {input_, queries_, truth_});
    check_output_format(output_, output_format_);
    inputs_.settle({input_, queries_, truth_});
    if (only_ids_) return convert_ids();
    const auto source = inputs_.open(input_, "train");
    if (queries_.empty()) {
      write_vectors(*source);
    } else {
      write_set(*source);
    }
    return print(source->rows(), source->dim(), "vectors of dim");
  }

 private:
  int convert_ids() const {
    const Matrix<std::int64_t> ids = inputs_.read_ids(input_, "neighbors");
    const HoldInterrupts held;
    datasets::write_ids(output_, ids.view(), {.format = output_format_});
    return print(ids.rows, ids.cols, "rows of ids, each of");
  }

  void write_vectors(const VectorSource& source) const {
    ProgressBar bar("convert");
    const HoldInterrupts held;
    datasets::write_vectors(output_, source,
                            {.format = output_format_, .progress = bar.callback()});
  }

  int print(std::size_t rows, std::size_t cols, const char* what) const {
    if (json_) {
      print_json({{"output", output_}, {"n", rows}, {"dim", cols}}, beside(output_));
    } else {
      fmt::print(beside(output_), "{}: {} {} {}\n", output_, rows, what, cols);
    }
    return kOk;
  }

  void write_set(const VectorSource& source) const {
    require_suffix(output_, {".hdf5", ".h5"}, "a set");
    datasets::BenchmarkSet set;
    set.metric = inputs_.metric(metric_, input_);
    set.train = datasets::read_all(source);
    set.test = inputs_.read(queries_, "test");
    if (set.test.cols != set.train.cols) {
      throw std::invalid_argument(
          fmt::format("queries have dim {}, the base has dim {}", set.test.cols, set.train.cols));
    }
    if (!truth_.empty()) set.truth = read_truth(set);
    ProgressBar bar("convert");
    const HoldInterrupts held;
    datasets::write_set(output_, set, datasets::Stored::float32, bar.callback());
  }

  datasets::GroundTruth read_truth(const datasets::BenchmarkSet& set) const {
    return with_distances(checked(inputs_.read_ids(truth_, "neighbors"), set.test.rows), set.train,
                          set.test, set.metric);
  }

  static Matrix<std::int64_t> checked(Matrix<std::int64_t> ids, std::size_t queries) {
    if (ids.rows == queries) return ids;
    throw std::invalid_argument(
        fmt::format("the ground truth is for {} queries, but there are {}", ids.rows, queries));
  }

  Inputs inputs_;
  std::string input_;
  std::string output_;
  std::string queries_;
  std::string truth_;
  std::string output_format_;
  std::string metric_;
  bool only_ids_ = false;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_convert() { return std::make_unique<Convert>(); }

}  // namespace obliq::tools

// obliq distortion: the error of quantizers alone, one line per spec, beside what theory allows.
// measure/distortion.h says how it is measured.
#include "measure/distortion.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <stdexcept>

#include "datasets/dataset.h"
#include "index/segment/vector_transform.h"
#include "obliq/rotation.h"
#include "tools/command.h"
#include "tools/flags.h"
#include "tools/inputs.h"
#include "tools/measure/chart.h"
#include "tools/measure/distortion_results.h"
#include "tools/outputs.h"
#include "tools/progress_bar.h"

namespace obliq::tools {
namespace {

constexpr std::size_t kMostVectors = 16384;  // more samples use them again, newly rotated
constexpr std::size_t kMostTraining = 8192;  // vectors, and queries, that are learnt from
constexpr std::size_t kSpeedVectors = 2048;
constexpr std::size_t kDefaultDim = 128;

/// Throws std::invalid_argument naming `what` and the row of a value that is not finite.
Matrix<float> finite_rows(const VectorSource& source, std::size_t first, std::size_t count,
                          std::string_view what) {
  Matrix<float> rows(std::min(count, source.rows() - first), source.dim());
  source.read(first, rows.rows, rows.values.data());
  require_finite(rows.view(), what, first);
  return rows;
}

/// The vectors to measure, and others to learn from.
struct Vectors {
  Matrix<float> measured;
  Matrix<float> training;
};

class Distortion final : public Command {
 public:
  void add_flags(CLI::App& app) override {
    app.add_option("--specs", specs_, "Quantizers, with commas; default: all")->delimiter(',');
    app.add_option("--data", setting_.data,
                   "sphere, gaussian, sparse, onehot, powerlaw:A (variances i^-A), or a file of "
                   "vectors")
        ->capture_default_str();
    app.add_option("--queries", setting_.queries,
                   "powerlaw:A or a file of vectors: weight errors by these queries, and train "
                   "data-aware quantizers on others like them")
        ->check(file_name());
    app.add_option("--dim", dim_, "Dimensions of random data; default: 128")
        ->check(positive_count());
    app.add_option("--samples", options_.samples, "Vectors to encode")
        ->check(positive_count())
        ->capture_default_str();
    app.add_option("--rho", options_.rhos, "Cosines of vector and query, with commas")
        ->delimiter(',')
        ->check(number_between(-1.0, 1.0))
        ->capture_default_str();
    app.add_option("--histogram", options_.histogram_bins,
                   "Bins of a histogram of product errors at each rho (with --json; 0: none)")
        ->capture_default_str();
    app.add_option("--plot", plot_,
                   "Draw the chart as this PNG, and keep its JSON lines beside it (.jsonl)")
        ->check(file_name());
    inputs_.add_format(app);
    add_seed(app, options_.seed);
    add_threads(app, options_.threads, "Threads; the rates are for one");
    add_json(app, json_);
  }

  int run() override {
    if (!plot_.empty()) {
      require_suffix(plot_, {".png"}, "a chart");
      check_outputs({plot_, lines_path()}, {setting_.data, setting_.queries});
    }
    inputs_.settle(files());
    const std::vector<std::string> specs = specs_.empty() ? quantizer_specs() : specs_;
    const Vectors vectors = read_vectors();
    const std::size_t dim = vectors.measured.cols;
    for (const std::string& spec : specs) make_quantizer(spec, dim);  // refuses early
    const Matrix<float> training_queries = read_queries(dim);
    options_.training = {vectors.training.view(), training_queries.view(), options_.threads};
    setting_.dim = dim;
    setting_.samples = options_.samples;
    setting_.rhos = options_.rhos;
    ProgressBar bar("distortion");
    const Progress progress = bar.callback();
    std::vector<DistortionResult> results;
    for (const std::string& spec : specs) {
      const auto done = static_cast<double>(results.size()) / static_cast<double>(specs.size());
      report(progress, spec, done);
      results.push_back({measure_distortion(spec, vectors.measured.view(), options_),
                         speed_of(spec, vectors.measured)});
      bar.clear();
      if (json_) print_json(to_json(results.back(), setting_));
    }
    if (!json_) fmt::print("{}", distortion_table(results, setting_));
    if (!plot_.empty()) plot(results);
    return kOk;
  }

 private:
  Vectors read_vectors() const {
    const std::size_t count = std::min(options_.samples, kMostVectors);
    const std::string& data = setting_.data;
    if (is_distortion_data(data)) {
      const std::size_t dim = dim_.value_or(kDefaultDim);
      return {distortion_data(data, dim, count, options_.seed),
              distortion_data(data, dim, kMostTraining, options_.seed + 1)};
    }
    const auto source = open_of_dim(data, "train", dim_);
    const std::size_t measured = std::min(count, (source->rows() + 1) / 2);
    return {finite_rows(*source, 0, measured, "vector"),
            finite_rows(*source, measured, kMostTraining, "vector")};
  }

  /// Sets the law that errors are weighted by. Returns queries to learn from.
  Matrix<float> read_queries(std::size_t dim) {
    const std::string& queries = setting_.queries;
    if (queries.empty()) return Matrix<float>(0, dim);
    Matrix<float> training;
    if (is_distortion_data(queries)) {
      law_ = power_law_queries(queries, dim);
      training = distortion_data(queries, dim, kMostTraining, options_.seed + 2);
    } else {
      const auto source = open_of_dim(queries, "test", dim);
      const std::size_t half = (source->rows() + 1) / 2;
      const Matrix<float> given = finite_rows(*source, 0, half, "query");
      if (std::ranges::all_of(given.values, [](float value) { return value == 0; })) {
        throw std::invalid_argument(fmt::format("{}: all queries are zero", queries));
      }
      law_ = query_law(given.view(), options_.threads);
      training = finite_rows(*source, half, kMostTraining, "query");
    }
    options_.law = &law_;
    setting_.spectrum = spectrum_of(law_);
    return training;
  }

  /// Those of --data and --queries that are no laws.
  std::vector<std::string> files() const {
    std::vector<std::string> files;
    for (const std::string& data : {setting_.data, setting_.queries}) {
      if (!is_distortion_data(data)) files.push_back(data);
    }
    return files;
  }

  std::unique_ptr<VectorSource> open_of_dim(const std::string& path, const char* dataset,
                                            std::optional<std::size_t> dim) const {
    auto source = inputs_.open(path, dataset);
    if (dim && *dim != source->dim()) {
      throw std::invalid_argument(
          fmt::format("dim {} is asked for, but {} has dim {}", *dim, path, source->dim()));
    }
    return source;
  }

  QuantizerSpeed speed_of(const std::string& spec, const Matrix<float>& vectors) const {
    Matrix<float> rotated = finite_rows(MatrixSource(vectors.view()), 0, kSpeedVectors, "vector");
    const auto rotation = make_rotation(rotated.cols, options_.seed);
    for (std::size_t i = 0; i < rotated.rows; ++i) rotation->apply(rotated.row(i));
    QuantizerPtr quantizer = make_quantizer(spec, rotated.cols, options_.seed);
    if (auto trained = train_quantizer(*quantizer, options_.seed, options_.training)) {
      quantizer = std::move(trained);
    }
    return measure_speed(*quantizer, rotated.view());
  }

  std::string lines_path() const {
    return std::filesystem::path(plot_).replace_extension(".jsonl").string();
  }

  void plot(const std::vector<DistortionResult>& results) const {
    const std::string lines = lines_path();
    std::vector<nlohmann::ordered_json> objects = {limits_json(setting_)};
    for (const DistortionResult& result : results) objects.push_back(to_json(result, setting_));
    write_json_lines(lines, objects);
    fmt::print(json_ ? stderr : stdout, "{}\n",
               run_chart_script("bench/rate_distortion.py", {lines, "-o", plot_}, plot_));
  }

  std::vector<std::string> specs_;
  std::optional<std::size_t> dim_;
  std::string plot_;
  Inputs inputs_;
  DistortionOptions options_;
  DistortionSetting setting_{"sphere", {}, 0, 0, {}, {}};
  QueryLaw law_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_distortion() { return std::make_unique<Distortion>(); }

}  // namespace obliq::tools

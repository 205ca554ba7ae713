// obliq distortion: the error of quantizers alone, a line for each spec. quant/distortion.h says
// how it is measured.
#include "quant/distortion.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <stdexcept>

#include "datasets/dataset.h"
#include "obliq/rotation.h"
#include "tools/command.h"
#include "tools/flags.h"
#include "tools/progress_bar.h"
#include "tools/table.h"

namespace obliq::tools {
namespace {

constexpr std::size_t kMostVectors = 16384;   // more samples use them again, newly rotated
constexpr std::size_t kEncodeVectors = 2048;  // timed at once
constexpr std::size_t kEncodeRounds = 5;

Matrix<float> first_rows(const VectorSource& source, std::size_t count) {
  Matrix<float> rows(std::min(count, source.rows()), source.dim());
  source.read(0, rows.rows, rows.values.data());
  return rows;
}

/// Vectors a second on one thread, without the rotation: median of some rounds.
double encode_rate(const std::string& spec, MatrixView<float> vectors, std::uint64_t seed) {
  Matrix<float> rotated = first_rows(MatrixSource(vectors), kEncodeVectors);
  const auto rotation = make_rotation(vectors.cols, seed);
  for (std::size_t i = 0; i < rotated.rows; ++i) rotation->apply(rotated.row(i));
  const auto quantizer = make_quantizer(spec, vectors.cols, seed);
  std::array<double, kEncodeRounds> rates{};
  for (double& rate : rates) {
    const auto start = std::chrono::steady_clock::now();
    encode_all(*quantizer, rotated.view());
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    rate = static_cast<double>(rotated.rows) / seconds.count();
  }
  std::sort(rates.begin(), rates.end());
  return rates[kEncodeRounds / 2];
}

class Distortion final : public Command {
 public:
  void add_flags(CLI::App& app) override {
    app.add_option("--specs", specs_, "Quantizers, with commas; default: all")->delimiter(',');
    app.add_option("--data", data_,
                   "sphere, gaussian, sparse, powerlaw:A (variances i^-A), or a "
                   "file of vectors")
        ->capture_default_str();
    app.add_option("--dim", dim_, "Dimensions of random data; default: 128")
        ->check(CLI::PositiveNumber);
    app.add_option("--samples", options_.samples, "Vectors to encode")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.add_option("--rho", options_.rhos, "Cosines of vector and query, with commas")
        ->delimiter(',')
        ->check(CLI::Range(-1.0, 1.0))
        ->capture_default_str();
    add_seed(app, options_.seed);
    add_threads(app, options_.threads, "Threads; the encode rate is for one");
    add_json(app, json_);
  }

  int run() override {
    const std::vector<std::string> specs = specs_.empty() ? quantizer_specs() : specs_;
    const Matrix<float> vectors = read_data();
    for (const std::string& spec : specs) make_quantizer(spec, vectors.cols);  // refuses early
    Table table = make_table();
    ProgressBar bar("distortion");
    const Progress progress = bar.callback();
    for (std::size_t i = 0; i < specs.size(); ++i) {
      report(progress, specs[i], static_cast<double>(i) / static_cast<double>(specs.size()));
      const DistortionReport measured = measure_distortion(specs[i], vectors.view(), options_);
      const double rate = encode_rate(specs[i], vectors.view(), options_.seed);
      bar.clear();
      if (json_) print_json(to_json(measured, vectors.cols, rate));
      if (!json_) add_row(table, measured, rate);
    }
    if (!json_) fmt::print("{}", table.text());
    return kOk;
  }

 private:
  bool is_random() const {
    constexpr std::array<std::string_view, 3> kNames = {"sphere", "gaussian", "sparse"};
    return std::find(kNames.begin(), kNames.end(), data_) != kNames.end() ||
           data_.starts_with("powerlaw:");
  }

  Matrix<float> read_data() const {
    const std::size_t count = std::min(options_.samples, kMostVectors);
    if (is_random()) return distortion_data(data_, dim_.value_or(128), count, options_.seed);
    const auto source = datasets::open_vectors(data_, "train");
    if (dim_ && *dim_ != source->dim()) {
      throw std::invalid_argument(
          fmt::format("--dim {}, but {} has dim {}: leave --dim out", *dim_, data_, source->dim()));
    }
    return first_rows(*source, count);
  }

  nlohmann::ordered_json to_json(const DistortionReport& measured, std::size_t dim,
                                 double rate) const {
    return {{"spec", measured.spec},
            {"dim", dim},
            {"data", data_},
            {"samples", options_.samples},
            {"bits", measured.bits},
            {"bytes_per_vector", measured.bytes_per_vector},
            {"mse", measured.mse},
            {"shrunk_mse", measured.shrunk_mse},
            {"gap_bits", measured.gap_bits},
            {"rho", options_.rhos},
            {"ip_bias", measured.ip_bias},
            {"ip_var_d", measured.ip_var_d},
            {"encode_per_s", rate}};
  }

  Table make_table() const {
    std::vector<Column> columns = {{"spec", Align::left}, {"bits"},    {"B/vector"}, {"mse"},
                                   {"shrunk mse"},        {"gap bits"}};
    for (const double rho : options_.rhos) columns.push_back({fmt::format("bias at {:g}", rho)});
    for (const double rho : options_.rhos) columns.push_back({fmt::format("d var at {:g}", rho)});
    columns.push_back({"encode/s"});
    return Table(columns);
  }

  static void add_row(Table& table, const DistortionReport& measured, double rate) {
    std::vector<std::string> cells = {measured.spec,
                                      fmt::format("{:g}", measured.bits),
                                      fmt::format("{:g}", measured.bytes_per_vector),
                                      fmt::format("{:.5f}", measured.mse),
                                      fmt::format("{:.5f}", measured.shrunk_mse),
                                      fmt::format("{:.3f}", measured.gap_bits)};
    for (const double bias : measured.ip_bias) cells.push_back(fmt::format("{:+.5f}", bias));
    for (const double variance : measured.ip_var_d)
      cells.push_back(fmt::format("{:.5f}", variance));
    cells.push_back(rate_text(rate));
    table.add(cells);
  }

  std::vector<std::string> specs_;
  std::string data_ = "sphere";
  std::optional<std::size_t> dim_;
  DistortionOptions options_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_distortion() { return std::make_unique<Distortion>(); }

}  // namespace obliq::tools

#include "measure/distortion.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "core/parallel.h"
#include "core/random.h"
#include "core/symmetric_eigen.h"
#include "measure/distortion_probe.h"
#include "measure/theory.h"
#include "obliq/rotation.h"

namespace obliq {
namespace {

constexpr std::size_t kSamplesPerChunk = 64;
// Rotations and quantizers drawn. A Gaussian sketch takes 4 dim^2 bytes, training takes seconds.
constexpr std::size_t kDraws = 16;
constexpr std::size_t kTrainedDraws = 4;

// The rows that are not zero.
std::vector<std::size_t> usable_rows(MatrixView<float> vectors) {
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < vectors.rows; ++i) {
    const float* row = vectors.row(i);
    if (std::any_of(row, row + vectors.cols, [](float v) { return v != 0; })) rows.push_back(i);
  }
  return rows;
}

void check_dim(const char* what, std::size_t rows, std::size_t dim, std::size_t expected) {
  if (rows > 0 && dim != expected) {
    throw std::invalid_argument(
        fmt::format("{} of dim {} for vectors of dim {}", what, dim, expected));
  }
}

void check(const DistortionOptions& options, std::size_t usable, std::size_t dim) {
  if (options.samples == 0) throw std::invalid_argument("samples must be 1 or more, not 0");
  if (usable == 0) throw std::invalid_argument("no vector other than zero to measure on");
  for (const double rho : options.rhos) {
    if (!(std::abs(rho) <= 1)) {
      throw std::invalid_argument(fmt::format("rho must be within [-1, 1], not {}", rho));
    }
  }
  const TrainingData& training = options.training;
  check_dim("training vectors", training.vectors.rows, training.vectors.cols, dim);
  check_dim("training queries", training.queries.rows, training.queries.cols, dim);
  if (options.law != nullptr) check_dim("queries", 1, options.law->moment.cols, dim);
}

Matrix<float> rotated(MatrixView<float> vectors, const Rotation& rotation) {
  Matrix<float> result(vectors.rows, vectors.cols);
  std::copy_n(vectors.data, vectors.size(), result.values.begin());
  for (std::size_t i = 0; i < result.rows; ++i) rotation.apply(result.row(i));
  return result;
}

// E (<e,q> - <e,m>)^2 = e^T (M - mu m^T - m mu^T + m m^T) e, m the mean that is kept apart.
Matrix<float> loss_of(const QueryLaw& law, const Quantizer& quantizer, const Rotation& rotation) {
  const std::size_t dim = law.moment.cols;
  std::vector<float> apart(quantizer.mean_query().begin(), quantizer.mean_query().end());
  apart.resize(dim);
  rotation.apply_inverse(apart.data());
  Matrix<float> loss(dim, dim);
  for (std::size_t i = 0; i < dim; ++i) {
    for (std::size_t j = 0; j < dim; ++j) {
      const double crossed = law.mean[i] * apart[j] + apart[i] * law.mean[j];
      const double value = law.moment.row(i)[j] - crossed + double{apart[i]} * apart[j];
      loss.row(i)[j] = static_cast<float>(value);
    }
  }
  return loss;
}

std::vector<DistortionDraw> make_draws(std::string_view spec, std::size_t dim, std::size_t chunks,
                                       const DistortionOptions& options) {
  std::vector<DistortionDraw> draws;
  std::uint64_t state = options.seed;
  std::size_t count = std::min(kDraws, chunks);
  while (draws.size() < count) {
    const std::uint64_t seed = splitmix64(state);
    DistortionDraw draw{make_rotation(dim, seed), make_quantizer(spec, dim, seed), {}};
    if (QuantizerPtr trained = train_quantizer(*draw.quantizer, seed, options.training)) {
      draw.quantizer = std::move(trained);
      count = std::min(count, kTrainedDraws);
    }
    if (options.law != nullptr) draw.loss = loss_of(*options.law, *draw.quantizer, *draw.rotation);
    draws.push_back(std::move(draw));
  }
  return draws;
}

DistortionSums measure_all(const std::vector<DistortionDraw>& draws, MatrixView<float> vectors,
                           const std::vector<std::size_t>& rows, const DistortionOptions& options) {
  const std::size_t chunks = (options.samples + kSamplesPerChunk - 1) / kSamplesPerChunk;
  const ProbeOptions measured = {options.rhos, options.histogram_bins > 0};
  std::vector<DistortionSums> parts(chunks, DistortionSums(options.rhos.size()));
  parallel_for(chunks, 1, options.threads, [&](std::size_t chunk, std::size_t, int) {
    std::uint64_t state = options.seed + chunk * 0x9E3779B97F4A7C15ULL;
    Random random(splitmix64(state));
    DistortionProbe probe(draws[chunk % draws.size()], measured);
    const std::size_t first = chunk * kSamplesPerChunk;
    const std::size_t last = std::min(first + kSamplesPerChunk, options.samples);
    for (std::size_t i = first; i < last; ++i) {
      probe.sample(vectors.row(rows[i % rows.size()]), random);
    }
    parts[chunk] = probe.take_sums();
  });
  DistortionSums sums(options.rhos.size());
  for (const DistortionSums& part : parts) sums.add(part);
  return sums;
}

// Five deviations to either side of the mean.
Histogram histogram_of(const std::vector<float>& errors, double mean, double variance,
                       std::size_t bins) {
  const double reach = std::max(5 * std::sqrt(variance), 1e-9);
  Histogram histogram{mean - reach, mean + reach, std::vector<std::size_t>(bins)};
  const double scale = static_cast<double>(bins) / (2 * reach);
  for (const float error : errors) {
    const double place = std::floor((error - histogram.low) * scale);
    const double last = static_cast<double>(bins) - 1;
    ++histogram.counts[static_cast<std::size_t>(std::clamp(place, 0.0, last))];
  }
  return histogram;
}

double trace(const Matrix<double>& matrix) {
  double sum = 0;
  for (std::size_t i = 0; i < matrix.rows; ++i) sum += matrix.row(i)[i];
  return sum;
}

DistortionReport report_of(const Quantizer& quantizer, const DistortionSums& sums,
                           const DistortionOptions& options) {
  const auto n = static_cast<double>(options.samples);
  const auto dim = static_cast<double>(quantizer.dim());
  const CodeLayout layout = quantizer.layout();
  DistortionReport report;
  report.spec = quantizer.spec();
  report.bits = quantizer.bits();
  report.bytes_per_vector = static_cast<double>(layout.code_bytes + 2 * layout.factors);
  report.queries = options.samples * kQueriesPerSample;
  report.mse = sums.error2 / n;
  report.shrunk_mse = sums.plain.shrunk_error() / n;
  report.gap_bits = gap_bits(report.shrunk_mse, report.bits);
  if (options.law != nullptr) {
    report.query_mse = sums.weighted.shrunk_error() / n * dim / trace(options.law->moment);
  }
  for (std::size_t i = 0; i < sums.ip.size(); ++i) {
    const double mean = sums.ip[i] / static_cast<double>(report.queries);
    const double variance = sums.ip2[i] / static_cast<double>(report.queries) - mean * mean;
    report.ip_bias.push_back(mean);
    report.ip_var_d.push_back(variance * dim);
    if (options.histogram_bins > 0) {
      report.ip_histograms.push_back(
          histogram_of(sums.errors[i], mean, std::max(variance, 0.0), options.histogram_bins));
    }
  }
  return report;
}

}  // namespace

QueryLaw query_law(MatrixView<float> queries, int threads) {
  QueryLaw law{second_moment(queries, threads), std::vector<double>(queries.cols)};
  for (std::size_t i = 0; i < queries.rows; ++i) {
    for (std::size_t j = 0; j < queries.cols; ++j) {
      law.mean[j] += queries.row(i)[j] / static_cast<double>(queries.rows);
    }
  }
  return law;
}

DistortionReport measure_distortion(std::string_view spec, MatrixView<float> vectors,
                                    const DistortionOptions& options) {
  const std::vector<std::size_t> rows = usable_rows(vectors);
  check(options, rows.size(), vectors.cols);
  const std::size_t chunks = (options.samples + kSamplesPerChunk - 1) / kSamplesPerChunk;
  const std::vector<DistortionDraw> draws = make_draws(spec, vectors.cols, chunks, options);
  const DistortionSums sums = measure_all(draws, vectors, rows, options);
  return report_of(*draws.front().quantizer, sums, options);
}

QuantizerPtr train_quantizer(const Quantizer& quantizer, std::uint64_t seed,
                             const TrainingData& training) {
  if (!quantizer.learns() || training.vectors.rows == 0) return nullptr;
  const auto rotation = make_rotation(quantizer.dim(), seed);
  const Matrix<float> vectors = rotated(training.vectors, *rotation);
  const Matrix<float> queries = rotated(training.queries, *rotation);
  return quantizer.train({vectors.view(), queries.view(), training.threads});
}

double encode_all(const Quantizer& quantizer, MatrixView<float> vectors) {
  std::vector<std::uint8_t> codes(quantizer.layout().code_bytes * vectors.rows);
  std::vector<Factors> factors(vectors.rows);
  quantizer.encode_batch(vectors, codes.data(), factors.data());
  double sum = 0;
  for (const Factors& one : factors) sum += one[0];
  return sum;
}

}  // namespace obliq

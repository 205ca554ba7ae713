#include "quant/distortion.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <stdexcept>

#include "obliq/rotation.h"
#include "quant/parallel.h"
#include "quant/random.h"

namespace obliq {
namespace {

constexpr std::size_t kSamplesPerRotation = 64;
constexpr std::size_t kQueriesPerSample = 4;
// Quantizers drawn: averages of tqp are over its sketch too. A Gaussian one takes 4 dim^2 bytes.
constexpr std::size_t kDraws = 8;

// Sums over samples; one object for each rotation, added up in their order.
struct Sums {
  double error2 = 0;  // |x - x^|^2 / |x|^2
  double xy = 0;      // <x,x^> / |x|^2
  double yy = 0;      // |x^|^2 / |x|^2
  std::vector<double> ip;
  std::vector<double> ip2;

  void add(const Sums& other) {
    error2 += other.error2;
    xy += other.xy;
    yy += other.yy;
    ip.resize(other.ip.size());
    ip2.resize(other.ip2.size());
    for (std::size_t i = 0; i < ip.size(); ++i) ip[i] += other.ip[i];
    for (std::size_t i = 0; i < ip2.size(); ++i) ip2[i] += other.ip2[i];
  }
};

double dot(const std::vector<float>& x, const std::vector<float>& y) {
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += double{x[i]} * y[i];
  return sum;
}

// One worker's buffers for one vector.
class Probe {
 public:
  Probe(const Quantizer& quantizer, const std::vector<double>& rhos)
      : quantizer_(quantizer),
        rhos_(rhos),
        x_(quantizer.dim()),
        decoded_(quantizer.dim()),
        direction_(quantizer.dim()),
        code_(quantizer.layout().code_bytes) {
    sums_.ip.resize(rhos.size());
    sums_.ip2.resize(rhos.size());
  }

  void sample(const float* row, const Rotation& rotation, Random& random) {
    std::copy_n(row, x_.size(), x_.begin());
    rotation.apply(x_.data());
    Factors factors{};
    quantizer_.encode(x_.data(), code_.data(), factors);
    quantizer_.decode(code_.data(), factors, decoded_.data());
    const double norm2 = dot(x_, x_);
    const double xy = dot(x_, decoded_) / norm2;
    const double yy = dot(decoded_, decoded_) / norm2;
    double error2 = 0;
    for (std::size_t i = 0; i < x_.size(); ++i) {
      const double error = double{x_[i]} - decoded_[i];
      error2 += error * error;
    }
    sums_.error2 += error2 / norm2;
    sums_.xy += xy;
    sums_.yy += yy;
    for (std::size_t q = 0; q < kQueriesPerSample; ++q) {
      add_products(xy, sideways(random, norm2, xy));
    }
  }

  const Sums& sums() const { return sums_; }

 private:
  // <u, x^> / |x| for a random unit vector u orthogonal to x; 0 where there is none.
  double sideways(Random& random, double norm2, double xy) {
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < direction_.size(); ++i) {
      if (i % 64 == 0) bits = random.next();
      direction_[i] = (bits >> (i % 64) & 1U) != 0 ? 1.0F : -1.0F;
    }
    const double along = dot(direction_, x_) / std::sqrt(norm2);
    const double left2 = static_cast<double>(direction_.size()) - along * along;
    if (left2 <= 1e-6) return 0;
    return (dot(direction_, decoded_) / std::sqrt(norm2) - along * xy) / std::sqrt(left2);
  }

  void add_products(double xy, double across) {
    for (std::size_t i = 0; i < rhos_.size(); ++i) {
      const double rho = rhos_[i];
      const double error = rho * (xy - 1) + std::sqrt(1 - rho * rho) * across;
      sums_.ip[i] += error;
      sums_.ip2[i] += error * error;
    }
  }

  const Quantizer& quantizer_;
  const std::vector<double>& rhos_;
  std::vector<float> x_;
  std::vector<float> decoded_;
  std::vector<float> direction_;
  std::vector<std::uint8_t> code_;
  Sums sums_;
};

// The rows that are not zero.
std::vector<std::size_t> usable_rows(MatrixView<float> vectors) {
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < vectors.rows; ++i) {
    const float* row = vectors.row(i);
    if (std::any_of(row, row + vectors.cols, [](float v) { return v != 0; })) rows.push_back(i);
  }
  return rows;
}

void check(const DistortionOptions& options, const std::vector<std::size_t>& rows) {
  if (options.samples == 0) throw std::invalid_argument("samples must be 1 or more, not 0");
  if (rows.empty()) throw std::invalid_argument("no vector other than zero to measure on");
  for (const double rho : options.rhos) {
    if (!(std::abs(rho) <= 1)) {
      throw std::invalid_argument(fmt::format("rho must be within [-1, 1], not {}", rho));
    }
  }
}

Sums measure_all(std::string_view spec, MatrixView<float> vectors,
                 const std::vector<std::size_t>& rows, const DistortionOptions& options) {
  const std::size_t chunks = (options.samples + kSamplesPerRotation - 1) / kSamplesPerRotation;
  std::vector<Sums> parts(chunks);
  std::vector<std::unique_ptr<const Quantizer>> draws;
  for (std::size_t i = 0; i < std::min(kDraws, chunks); ++i) {
    draws.push_back(make_quantizer(spec, vectors.cols, options.seed + i));
  }
  parallel_for(chunks, 1, options.threads, [&](std::size_t chunk, std::size_t, int) {
    std::uint64_t state = options.seed + chunk * 0x9E3779B97F4A7C15ULL;
    Random random(splitmix64(state));
    const auto rotation = make_rotation(vectors.cols, random.next());
    Probe probe(*draws[chunk % kDraws], options.rhos);
    const std::size_t first = chunk * kSamplesPerRotation;
    const std::size_t last = std::min(first + kSamplesPerRotation, options.samples);
    for (std::size_t i = first; i < last; ++i) {
      probe.sample(vectors.row(rows[i % rows.size()]), *rotation, random);
    }
    parts[chunk] = probe.sums();
  });
  Sums sums;
  for (const Sums& part : parts) sums.add(part);
  return sums;
}

DistortionReport report_of(const Quantizer& quantizer, const Sums& sums, std::size_t samples) {
  const auto n = static_cast<double>(samples);
  const CodeLayout layout = quantizer.layout();
  DistortionReport report;
  report.spec = quantizer.spec();
  report.bits = quantizer.bits();
  report.bytes_per_vector = static_cast<double>(layout.code_bytes + 2 * layout.factors);
  report.queries = samples * kQueriesPerSample;
  report.mse = sums.error2 / n;
  report.shrunk_mse = sums.yy > 0 ? 1 - sums.xy * sums.xy / (n * sums.yy) : 1;
  report.gap_bits = 0.5 * std::log2(report.shrunk_mse) + report.bits;
  for (std::size_t i = 0; i < sums.ip.size(); ++i) {
    const double mean = sums.ip[i] / static_cast<double>(report.queries);
    const double mean2 = sums.ip2[i] / static_cast<double>(report.queries);
    report.ip_bias.push_back(mean);
    report.ip_var_d.push_back((mean2 - mean * mean) * static_cast<double>(quantizer.dim()));
  }
  return report;
}

}  // namespace

DistortionReport measure_distortion(std::string_view spec, MatrixView<float> vectors,
                                    const DistortionOptions& options) {
  const std::vector<std::size_t> rows = usable_rows(vectors);
  check(options, rows);
  const Sums sums = measure_all(spec, vectors, rows, options);
  return report_of(*make_quantizer(spec, vectors.cols, options.seed), sums, options.samples);
}

double encode_all(const Quantizer& quantizer, MatrixView<float> vectors) {
  std::vector<std::uint8_t> code(quantizer.layout().code_bytes);
  Factors factors{};
  double sum = 0;
  for (std::size_t i = 0; i < vectors.rows; ++i) {
    quantizer.encode(vectors.row(i), code.data(), factors);
    sum += factors[0];
  }
  return sum;
}

}  // namespace obliq

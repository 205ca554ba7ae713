// Rows come in blocks with a random stream each, so that no thread's work depends on another's.
#include "datasets/generate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "obliq/rotation.h"
#include "quant/parallel.h"
#include "quant/random.h"

namespace obliq::datasets {
namespace {

constexpr std::size_t kBlockRows = 1024;

// Numbers of random streams: changing one changes the sets of every seed.
enum class Stream : std::uint64_t { base = 1, queries = 2, centres = 3, shift = 4, basis = 5 };

std::uint64_t stream_seed(std::uint64_t seed, Stream stream, std::uint64_t block) {
  std::uint64_t state = seed;
  state = splitmix64(state) + static_cast<std::uint64_t>(stream);
  state = splitmix64(state) + block;
  return splitmix64(state);
}

// e^x for x <= 0 from IEEE operations alone, since libm differs between platforms: x = k log 2 + r,
// |r| <= 0.35, and 16 terms of the series leave less than 1e-20.
double portable_exp(double x) {
  if (x < -700) return 0;
  const double k = std::nearbyint(x / 0.69314718055994531);
  const double r = x - k * 0.69314718055994531;
  double sum = 1;
  for (int term = 16; term > 0; --term) sum = 1 + sum * r / term;
  return std::ldexp(sum, static_cast<int>(k));
}

void fill_gaussian(Matrix<float>& rows, std::uint64_t seed, Stream stream, int threads) {
  parallel_for(rows.rows, kBlockRows, threads, [&](std::size_t begin, std::size_t end, int) {
    Random random(stream_seed(seed, stream, begin / kBlockRows));
    for (float* x = rows.row(begin); x != rows.row(end); ++x) {
      *x = static_cast<float>(random.gaussian());
    }
  });
}

class ClusteredSet {
 public:
  ClusteredSet(const GenerateOptions& options, int threads)
      : options_(options),
        threads_(threads),
        rotation_(make_rotation(options.dim, stream_seed(options.seed, Stream::basis, 0))),
        deviations_(deviations()) {
    std::size_t clusters = options.clusters;
    if (clusters == 0) {
      clusters = static_cast<std::size_t>(std::sqrt(static_cast<double>(options.n)));
    }
    centres_ = normal_rows(clusters, Stream::centres, std::sqrt(1 - options.within));
    shift_ = normal_rows(1, Stream::shift, std::sqrt(1 - options.within) * options.query_shift);
  }

  void fill(Matrix<float>& rows, Stream stream) const {
    const float* shift = stream == Stream::queries ? shift_.row(0) : nullptr;
    parallel_for(rows.rows, kBlockRows, threads_, [&](std::size_t begin, std::size_t end, int) {
      Random random(stream_seed(options_.seed, stream, begin / kBlockRows));
      for (std::size_t i = begin; i < end; ++i) fill_row(random, shift, rows.row(i));
    });
  }

 private:
  /// Standard deviation along each axis of the basis.
  std::vector<double> deviations() const {
    std::vector<double> values(options_.dim);
    double trace = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = portable_exp(-options_.alpha * portable_log(static_cast<double>(i + 1)));
      trace += values[i];
    }
    const double scale = static_cast<double>(values.size()) / trace;
    for (double& value : values) value = std::sqrt(value * scale);
    return values;
  }

  /// Normal rows of the set's spectrum times `scale`, before the rotation.
  Matrix<float> normal_rows(std::size_t count, Stream stream, double scale) const {
    Matrix<float> rows(count, options_.dim);
    fill_gaussian(rows, options_.seed, stream, threads_);
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t d = 0; d < options_.dim; ++d) {
        rows.row(i)[d] *= static_cast<float>(deviations_[d] * scale);
      }
    }
    return rows;
  }

  void fill_row(Random& random, const float* shift, float* row) const {
    const double within = std::sqrt(options_.within);
    const float* centre = centres_.row(random.below(centres_.rows));
    for (std::size_t d = 0; d < options_.dim; ++d) {
      const double noise = within * deviations_[d] * random.gaussian();
      row[d] = static_cast<float>(centre[d] + noise) + (shift != nullptr ? shift[d] : 0.0F);
    }
    rotation_->apply(row);
  }

  GenerateOptions options_;
  int threads_;
  std::unique_ptr<const Rotation> rotation_;
  std::vector<double> deviations_;
  Matrix<float> centres_;
  Matrix<float> shift_;
};

void check(const GenerateOptions& options) {
  const auto refuse = [](const char* what, auto value, const char* remedy) {
    throw std::invalid_argument(fmt::format("{} is {}; {}", what, value, remedy));
  };
  if (options.kind != "gaussian" && options.kind != "clustered") {
    refuse("kind", options.kind, "valid: gaussian, clustered");
  }
  if (options.n == 0) refuse("n", options.n, "it must be 1 or more");
  if (options.dim == 0) refuse("dim", options.dim, "it must be 1 or more");
  if (!(options.alpha >= 0 && std::isfinite(options.alpha))) {
    refuse("alpha", options.alpha, "it must be 0 or more");
  }
  if (!(options.within >= 0 && options.within <= 1)) {
    refuse("within", options.within, "it must be 0 to 1");
  }
  if (!(options.query_shift >= 0 && std::isfinite(options.query_shift))) {
    refuse("query_shift", options.query_shift, "it must be 0 or more");
  }
}

}  // namespace

BenchmarkSet generate(const GenerateOptions& options, int threads) {
  check(options);
  BenchmarkSet set;
  set.metric = options.metric;
  set.train = Matrix<float>(options.n, options.dim);
  set.test = Matrix<float>(options.queries, options.dim);
  if (options.kind == "gaussian") {
    fill_gaussian(set.train, options.seed, Stream::base, threads);
    fill_gaussian(set.test, options.seed, Stream::queries, threads);
  } else {
    const ClusteredSet clustered(options, threads);
    clustered.fill(set.train, Stream::base);
    clustered.fill(set.test, Stream::queries);
  }
  return set;
}

}  // namespace obliq::datasets

// Rows come in blocks with a random stream each, so that no thread's work depends on another's.
#include "datasets/generate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/half.h"
#include "core/parallel.h"
#include "core/random.h"
#include "obliq/rotation.h"

namespace obliq::datasets {
namespace {

constexpr std::size_t kBlockRows = 1024;

// Numbers of random streams: changing one changes the sets of every seed.
enum class Stream : std::uint64_t {
  base = 1,
  queries = 2,
  centres = 3,
  shift = 4,
  basis = 5,
  learn_queries = 6
};

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

// Standard deviations along the axes of the basis: squares fall as i^-alpha and sum to dim.
std::vector<double> power_law_deviations(std::size_t dim, double alpha) {
  std::vector<double> values(dim);
  double trace = 0;
  for (std::size_t i = 0; i < dim; ++i) {
    values[i] = portable_exp(-alpha * portable_log(static_cast<double>(i + 1)));
    trace += values[i];
  }
  const double scale = static_cast<double>(dim) / trace;
  for (double& value : values) value = std::sqrt(value * scale);
  return values;
}

// Draws one of `count` centres: number i (from 0) with a weight of (i + 1)^-skew.
class CentreChoice {
 public:
  CentreChoice(std::size_t count, double skew) : count_(count) {
    if (skew == 0) return;
    double sum = 0;
    for (std::size_t i = 0; i < count; ++i) {
      sum += portable_exp(-skew * portable_log(static_cast<double>(i + 1)));
      sums_.push_back(sum);
    }
  }

  std::size_t operator()(Random& random) const {
    if (sums_.empty()) return random.below(count_);
    const double point = random.uniform() * sums_.back();  // may round up to the last sum
    const auto found = std::upper_bound(sums_.begin(), sums_.end() - 1, point);
    return static_cast<std::size_t>(found - sums_.begin());
  }

 private:
  std::size_t count_;
  std::vector<double> sums_;  // of the weights; empty when all are equal
};

class ClusteredSet {
 public:
  ClusteredSet(const GenerateOptions& options, int threads)
      : options_(options),
        threads_(threads),
        rotation_(make_rotation(options.dim, stream_seed(options.seed, Stream::basis, 0))),
        deviations_(power_law_deviations(options.dim, options.alpha)),
        centres_(normal_rows(centre_count(options), Stream::centres, 1)),
        base_{CentreChoice(centres_.rows, 0), deviations_, std::vector<float>(options.dim)},
        queries_{CentreChoice(centres_.rows, options.query_skew),
                 power_law_deviations(options.dim, options.query_alpha.value_or(options.alpha)),
                 normal_rows(1, Stream::shift, options.query_shift).values} {}

  void fill_base(Matrix<float>& rows) const { fill(rows, Stream::base, base_); }
  void fill_queries(Matrix<float>& rows, Stream stream) const { fill(rows, stream, queries_); }

 private:
  /// Where rows come from: their centres, their spread around them and what is added to all.
  struct Population {
    CentreChoice centre;
    std::vector<double> deviations;
    std::vector<float> shift;
  };

  static std::size_t centre_count(const GenerateOptions& options) {
    if (options.clusters > 0) return options.clusters;
    return static_cast<std::size_t>(std::sqrt(static_cast<double>(options.n)));
  }

  /// Normal rows with the spectrum of centres, times `scale`, before the rotation.
  Matrix<float> normal_rows(std::size_t count, Stream stream, double scale) const {
    Matrix<float> rows(count, options_.dim);
    fill_gaussian(rows, options_.seed, stream, threads_);
    const double between = std::sqrt(1 - options_.within);
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t d = 0; d < options_.dim; ++d) {
        rows.row(i)[d] *= static_cast<float>(deviations_[d] * (between * scale));
      }
    }
    return rows;
  }

  void fill(Matrix<float>& rows, Stream stream, const Population& population) const {
    parallel_for(rows.rows, kBlockRows, threads_, [&](std::size_t begin, std::size_t end, int) {
      Random random(stream_seed(options_.seed, stream, begin / kBlockRows));
      for (std::size_t i = begin; i < end; ++i) fill_row(random, population, rows.row(i));
    });
  }

  void fill_row(Random& random, const Population& population, float* row) const {
    const double within = std::sqrt(options_.within);
    const float* centre = centres_.row(population.centre(random));
    for (std::size_t d = 0; d < options_.dim; ++d) {
      const double noise = within * population.deviations[d] * random.gaussian();
      row[d] = static_cast<float>(centre[d] + noise) + population.shift[d];
    }
    rotation_->apply(row);
  }

  GenerateOptions options_;
  int threads_;
  std::unique_ptr<const Rotation> rotation_;
  std::vector<double> deviations_;  // of centres
  Matrix<float> centres_;
  Population base_;
  Population queries_;
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
  const double query_alpha = options.query_alpha.value_or(0);
  if (!(query_alpha >= 0 && std::isfinite(query_alpha))) {
    refuse("query_alpha", query_alpha, "it must be 0 or more");
  }
  if (!(options.query_skew >= 0 && std::isfinite(options.query_skew))) {
    refuse("query_skew", options.query_skew, "it must be 0 or more");
  }
}

void round_to_halves(Matrix<float>& rows, int threads) {
  parallel_for(rows.rows, kBlockRows, threads, [&](std::size_t begin, std::size_t end, int) {
    for (float* x = rows.row(begin); x != rows.row(end); ++x) *x = half_to_float(float_to_half(*x));
  });
}

}  // namespace

BenchmarkSet generate(const GenerateOptions& options, int threads) {
  check(options);
  BenchmarkSet set;
  set.metric = options.metric;
  set.train = Matrix<float>(options.n, options.dim);
  set.test = Matrix<float>(options.queries, options.dim);
  set.learn_queries = Matrix<float>(options.learn_queries, options.dim);
  if (options.kind == "gaussian") {
    fill_gaussian(set.train, options.seed, Stream::base, threads);
    fill_gaussian(set.test, options.seed, Stream::queries, threads);
    fill_gaussian(set.learn_queries, options.seed, Stream::learn_queries, threads);
  } else {
    const ClusteredSet clustered(options, threads);
    clustered.fill_base(set.train);
    clustered.fill_queries(set.test, Stream::queries);
    clustered.fill_queries(set.learn_queries, Stream::learn_queries);
  }
  if (options.stored == Stored::float16) {
    for (auto* rows : {&set.train, &set.test, &set.learn_queries}) round_to_halves(*rows, threads);
  }
  return set;
}

}  // namespace obliq::datasets

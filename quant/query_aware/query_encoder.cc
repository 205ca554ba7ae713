#include "quant/query_aware/query_encoder.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <limits>

#include "core/kernels/dispatch.h"

namespace obliq {
namespace {

constexpr std::size_t kL = kVectorLanes;

constexpr std::size_t kMostBlock = 8;

using Lane = std::array<float, kL>;  // a number for each vector

// sum += x * y, lane by lane.
void add_product(const float* x, const float* y, Lane& sum) {
  for (std::size_t l = 0; l < kL; ++l) sum[l] += x[l] * y[l];
}

Lane dot(const float* x, const float* y, std::size_t n) {
  Lane sum{};
  for (std::size_t i = 0; i < n; ++i) add_product(x + kL * i, y + kL * i, sum);
  return sum;
}

// The inverse of the block of the metric that starts at `first`, by Gauss-Jordan: it is positive
// definite.
Matrix<double> inverse_block(const QueryMetric& metric, std::size_t first) {
  const std::size_t count = metric.block();
  Matrix<double> a(count, count);
  for (std::size_t i = 0; i < count; ++i) {
    std::copy_n(metric.row(first + i) + first, count, a.row(i));
  }
  for (std::size_t k = 0; k < count; ++k) {
    const double pivot = a.row(k)[k];
    a.row(k)[k] = 1;
    for (std::size_t j = 0; j < count; ++j) a.row(k)[j] /= pivot;
    for (std::size_t i = 0; i < count; ++i) {
      if (i == k) continue;
      const double factor = a.row(i)[k];
      a.row(i)[k] = 0;
      for (std::size_t j = 0; j < count; ++j) a.row(i)[j] -= factor * a.row(k)[j];
    }
  }
  return a;
}

}  // namespace

LaneCodes::LaneCodes(std::size_t dim) : levels(dim * kL) {
  std::fill_n(factor, kL, 0.0F);
  std::fill_n(loss, kL, std::numeric_limits<float>::infinity());
}

// The state of 16 vectors at one scale.
struct QueryEncoder::Lanes {
  const float* x;
  Lane scale;
  std::vector<float> levels;  // y
  std::vector<float> error;   // e = s x - y
  Lane norm2;                 // |x|^2
  Lane pull;                  // alignment / |x|^2, 0 for a zero vector
  Lane along;                 // <x, e>
  Lane xmx;                   // |x|^2_M

  std::size_t dim() const { return levels.size() / kL; }

  void set_error() {
    for (std::size_t i = 0; i < levels.size(); ++i) {
      error[i] = x[i] * scale[i % kL] - levels[i];
    }
    along = dot(x, error.data(), dim());
  }
};

QueryEncoder::QueryEncoder(const QueryMetric& metric, const LaneRounder& rounder,
                           QueryEncoderOptions options)
    : metric_(metric), rounder_(rounder), options_(std::move(options)) {
  assert(metric.block() == rounder.block() && metric.block() <= kMostBlock &&
         !options_.scales.empty());
  for (std::size_t first = 0; first < metric.dim(); first += metric.block()) {
    const Matrix<double> inverse = inverse_block(metric, first);
    inverses_.insert(inverses_.end(), inverse.values.begin(), inverse.values.end());
  }
}

std::vector<float> QueryEncoder::successive(const float* x, float scale) const {
  const Kernels& kernel = kernels();
  const std::size_t n = metric_.dim();
  const std::size_t block = metric_.block();
  std::vector<float> levels(n * kL);
  std::vector<float> error(n * kL);
  std::vector<float> target(block * kL);
  for (std::size_t end = n; end > 0; end -= block) {
    const std::size_t first = end - block;
    for (std::size_t i = first; i < end; ++i) {
      float* t = target.data() + kL * (i - first);
      kernel.row_times_16(metric_.feedback(i) + end, error.data() + kL * end, n - end, t);
      for (std::size_t l = 0; l < kL; ++l) t[l] += x[kL * i + l] * scale;
    }
    rounder_.round(target.data(), levels.data() + kL * first);
    for (std::size_t i = kL * first; i < kL * end; ++i) error[i] = x[i] * scale - levels[i];
  }
  return levels;
}

// Where one block of every lane could go.
struct QueryEncoder::Move {
  std::size_t first;
  float gradient[kMostBlock * kL] = {};  // (M e)_B
  float step[kMostBlock * kL] = {};      // from y_B to the new point
};

void QueryEncoder::propose(const Lanes& s, Move& move) const {
  const std::size_t n = metric_.dim();
  const std::size_t block = metric_.block();
  const float* levels = s.levels.data() + kL * move.first;
  const float* x = s.x + kL * move.first;
  for (std::size_t i = 0; i < block; ++i) {
    float* g = move.gradient + kL * i;
    kernels().row_times_16(metric_.row(move.first + i), s.error.data(), n, g);
    for (std::size_t l = 0; l < kL; ++l) g[l] += s.pull[l] * s.along[l] * x[kL * i + l];
  }
  float target[kMostBlock * kL] = {};
  const float* inverse = inverses_.data() + block * move.first;
  for (std::size_t i = 0; i < block; ++i) {
    float* t = target + kL * i;
    kernels().row_times_16(inverse + block * i, move.gradient, block, t);
    for (std::size_t l = 0; l < kL; ++l) t[l] += levels[kL * i + l];
  }
  rounder_.round(target, move.step);
  for (std::size_t i = 0; i < block * kL; ++i) move.step[i] -= levels[i];
}

// Takes the step in the lanes whose loss it lowers: the change is -2 <step, M e> + |step|^2_M.
void QueryEncoder::accept(const Move& move, Lanes& s) const {
  const std::size_t block = metric_.block();
  const float* x = s.x + kL * move.first;
  Lane change{};
  Lane along{};
  for (std::size_t i = 0; i < block; ++i) {
    const float* row = metric_.row(move.first + i) + move.first;
    const float* step = move.step + kL * i;
    Lane curvature;
    kernels().row_times_16(row, move.step, block, curvature.data());
    for (std::size_t l = 0; l < kL; ++l) {
      change[l] += step[l] * (curvature[l] - 2 * move.gradient[kL * i + l]);
    }
    add_product(x + kL * i, step, along);
  }
  Lane accepted;
  for (std::size_t l = 0; l < kL; ++l) {
    change[l] += s.pull[l] * along[l] * along[l];
    accepted[l] = change[l] < 0 ? 1.0F : 0.0F;
    s.along[l] -= accepted[l] * along[l];
  }
  for (std::size_t i = 0; i < block * kL; ++i) {
    const float moved = accepted[i % kL] * move.step[i];
    s.levels[kL * move.first + i] += moved;
    s.error[kL * move.first + i] -= moved;
  }
}

void QueryEncoder::sweep(Lanes& lanes) const {
  for (std::size_t first = 0; first < metric_.dim(); first += metric_.block()) {
    Move move{first};
    propose(lanes, move);
    accept(move, lanes);
  }
}

// Keeps what is better than the best, and sets each lane's scale to 1/g. All from M e, which is
// small where the loss is, so that nothing large cancels:
//     |x - g y|^2_M = (e^T M e - (y^T M e)^2 / y^T M y) / s^2     at the best g
void QueryEncoder::judge(Lanes& s, LaneCodes& best) const {
  constexpr float kSmallest = 1.0F / 8;  // of scales, relative to variance 1
  constexpr float kLargest = 8;
  const std::size_t n = metric_.dim();
  Lane xme{};
  Lane eme{};
  for (std::size_t i = 0; i < n; ++i) {
    Lane me;
    kernels().row_times_16(metric_.row(i), s.error.data(), n, me.data());
    add_product(s.x + kL * i, me.data(), xme);
    add_product(s.error.data() + kL * i, me.data(), eme);
  }
  for (std::size_t l = 0; l < kL; ++l) {
    const float scale = s.scale[l];
    xme[l] += s.pull[l] * s.norm2[l] * s.along[l];
    eme[l] += s.pull[l] * s.along[l] * s.along[l];
    const float xmy = scale * s.xmx[l] - xme[l];
    const float yme = scale * xme[l] - eme[l];
    const float ymy = scale * xmy - yme;
    if (!(xmy > 0 && ymy > 0)) continue;
    s.scale[l] = std::clamp(ymy / xmy, kSmallest, kLargest);
    const float loss = (eme[l] - yme * yme / ymy) / (scale * scale);
    if (!(loss < best.loss[l])) continue;
    best.loss[l] = loss;
    best.factor[l] = xmy / ymy;
    for (std::size_t i = l; i < n * kL; i += kL) best.levels[i] = s.levels[i];
  }
}

void QueryEncoder::refine(const float* x, float scale, std::vector<float> y,
                          LaneCodes& best) const {
  const std::size_t n = metric_.dim();
  Lanes s{x, {}, std::move(y), std::vector<float>(n * kL), dot(x, x, n), {}, {}, {}};
  s.scale.fill(scale);
  for (std::size_t i = 0; i < n; ++i) {
    Lane mx;
    kernels().row_times_16(metric_.row(i), x, n, mx.data());
    add_product(x + kL * i, mx.data(), s.xmx);
  }
  for (std::size_t l = 0; l < kL; ++l) {
    s.pull[l] = s.norm2[l] > 0 ? options_.alignment / s.norm2[l] : 0;
    s.xmx[l] += options_.alignment * s.norm2[l];
  }
  for (std::size_t round = 0; round < options_.rounds; ++round) {
    s.set_error();
    for (std::size_t i = 0; i < options_.sweeps; ++i) sweep(s);
    judge(s, best);
  }
}

LaneCodes QueryEncoder::encode(const float* x) const {
  LaneCodes best(metric_.dim());
  for (const float scale : options_.scales) refine(x, scale, successive(x, scale), best);
  return best;
}

}  // namespace obliq

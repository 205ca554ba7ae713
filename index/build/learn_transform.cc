// Rows are scaled first, then the mean of those of typical length is taken: a few vectors far away
// must not pull the origin from the rest, which sets the precision of queries.
#include "index/build/learn_transform.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include "core/kernels/dispatch.h"
#include "core/largest.h"
#include "core/parallel.h"
#include "index/build/typical_rows.h"

namespace obliq {
namespace {

constexpr int kLeastExponent = -62;  // of coordinates whose squares are normal floats

// The median of the rows' largest coordinates, rows of zeros left out; 0 where there are no others.
float typical_coordinate(const VectorSource& rows, std::size_t piece) {
  std::vector<float> largest;
  Matrix<float> buffer;
  for (std::size_t first = 0; first < rows.rows(); first += piece) {
    const auto x = rows_of(rows, first, std::min(piece, rows.rows() - first), buffer);
    for (std::size_t i = 0; i < x.rows; ++i) largest.push_back(largest_size(x.row(i), x.cols));
  }
  std::erase(largest, 0.0F);
  if (largest.empty()) return 0;
  const auto middle = largest.begin() + static_cast<std::ptrdiff_t>(largest.size() / 2);
  std::nth_element(largest.begin(), middle, largest.end());
  return *middle;
}

[[noreturn]] void refuse_small(const BuildPlan& plan, float typical) {
  Matrix<float> x(1, plan.dim);
  std::size_t row = 0;
  float largest = 0;
  for (; row < plan.vectors.rows(); ++row) {
    plan.vectors.read(row, 1, x.row(0));
    largest = largest_size(x.row(0), plan.dim);
    if (largest > 0 && largest <= typical) break;
  }
  throw std::invalid_argument(fmt::format(
      "base vector {} is too small, as most are: its largest value is {}, so that squared "
      "distances are no normal floats; multiply all vectors and queries by a power of ten",
      row, largest));
}

float choose_scale(const BuildPlan& plan, const VectorSource& sample) {
  const float typical = typical_coordinate(sample, plan.chunk_rows);
  if (typical == 0) return 1;
  const int exponent = std::ilogb(typical);
  if (plan.options.metric == Metric::l2 && exponent < kLeastExponent) refuse_small(plan, typical);
  return std::ldexp(1.0F, std::clamp(-exponent, -126, 126));
}

// Scaled up, rows of the sample may overflow, which k-means must not see. Where one does, the base
// is searched for its number.
void require_all_bounded(const BuildPlan& plan, const VectorTransform& transform,
                         const VectorSource& sample) {
  bool bounded = true;
  Matrix<float> buffer;
  for (std::size_t first = 0; first < sample.rows(); first += plan.chunk_rows) {
    const std::size_t count = std::min(plan.chunk_rows, sample.rows() - first);
    const auto x = rows_of(sample, first, count, buffer);
    for (std::size_t i = 0; i < count; ++i) {
      bounded = bounded && is_bounded(kernels().dot(x.row(i), x.row(i), plan.dim));
    }
  }
  if (bounded) return;
  buffer = Matrix<float>(plan.chunk_rows, plan.dim);
  for (std::size_t first = 0; first < plan.vectors.rows(); first += plan.chunk_rows) {
    const std::size_t count = std::min(plan.chunk_rows, plan.vectors.rows() - first);
    plan.vectors.read(first, count, buffer.values.data());
    for (std::size_t i = 0; i < count; ++i) {
      transform.scale(buffer.row(i));
      (void)bounded_norm2(buffer.row(i), plan.dim, first + i);
    }
  }
}

std::vector<float> robust_mean(const VectorSource& rows, std::size_t piece) {
  const std::vector<bool> typical = are_typical(rows, piece);
  std::vector<double> sum(rows.dim());
  Matrix<float> buffer;
  for (std::size_t first = 0; first < rows.rows(); first += piece) {
    const auto x = rows_of(rows, first, std::min(piece, rows.rows() - first), buffer);
    for (std::size_t i = 0; i < x.rows; ++i) {
      for (std::size_t j = 0; typical[first + i] && j < x.cols; ++j) sum[j] += x.row(i)[j];
    }
  }
  const auto count = static_cast<double>(std::count(typical.begin(), typical.end(), true));
  std::vector<float> mean;
  mean.reserve(sum.size());
  for (const double coordinate : sum) mean.push_back(static_cast<float>(coordinate / count));
  return mean;
}

// Calls step(row) for all rows of the sample.
template <typename Step>
void change(const BuildPlan& plan, StagedVectors& sample, Step step) {
  sample.change(plan.chunk_rows, plan.make_staging(), [&](float* rows, std::size_t count) {
    parallel_for(count, 64, plan.options.threads, [&](std::size_t begin, std::size_t end, int) {
      for (std::size_t i = begin; i < end; ++i) step(rows + i * plan.dim);
    });
  });
}

}  // namespace

bool is_bounded(float norm2) { return norm2 <= std::numeric_limits<float>::max() / 4; }

float bounded_norm2(const float* x, std::size_t dim, std::size_t row) {
  const float norm2 = kernels().dot(x, x, dim);
  if (is_bounded(norm2)) return norm2;
  throw std::invalid_argument(
      fmt::format("base vector {} is more than 10^18 times as long as most, too long for one index "
                  "with them; remove it",
                  row));
}

std::unique_ptr<VectorTransform> learn_transform(const BuildPlan& plan, StagedVectors& sample) {
  auto transform =
      std::make_unique<VectorTransform>(plan.options.metric, plan.dim, plan.options.seed);
  if (plan.n == 0) return transform;
  if (plan.options.metric != Metric::cosine) transform->set_scale(choose_scale(plan, sample));
  change(plan, sample, [&](float* x) { transform->scale(x); });
  if (transform->scale() > 1) require_all_bounded(plan, *transform, sample);
  if (plan.options.metric != Metric::ip) transform->set_mean(robust_mean(sample, plan.chunk_rows));
  change(plan, sample, [&](float* x) {
    transform->centre(x);
    transform->rotate(x);
  });
  return transform;
}

}  // namespace obliq

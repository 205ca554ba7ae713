#include "quant/query_aware/query_metric.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>

#include "core/kernels/dispatch.h"
#include "core/largest.h"
#include "core/parallel.h"
#include "core/spread_rows.h"

namespace obliq {

UnitTriangular decompose(const Matrix<double>& metric) {
  const std::size_t n = metric.rows;
  UnitTriangular result{metric, std::vector<double>(n)};
  Matrix<double>& rest = result.u;  // what the rows so far leave of the metric
  for (std::size_t k = 0; k < n; ++k) {
    double* row = rest.row(k);
    const double pivot = row[k];
    result.d[k] = pivot;
    for (std::size_t i = k + 1; i < n; ++i) {
      const double factor = row[i] / pivot;
      double* below = rest.row(i);
      for (std::size_t j = i; j < n; ++j) below[j] -= factor * row[j];
    }
    std::fill(row, row + k, 0.0);
    for (std::size_t j = k; j < n; ++j) row[j] /= pivot;
  }
  return result;
}

namespace {

double trace(const Matrix<double>& matrix) {
  double sum = 0;
  for (std::size_t i = 0; i < matrix.rows; ++i) sum += matrix.row(i)[i];
  return sum;
}

Matrix<double> identity(std::size_t n) {
  Matrix<double> matrix(n, n);
  for (std::size_t i = 0; i < n; ++i) matrix.row(i)[i] = 1;
  return matrix;
}

Matrix<double> shrunk(const Matrix<double>& moments, double shrinkage) {
  const std::size_t n = moments.rows;
  const double mean = trace(moments) / static_cast<double>(n);
  if (!(mean > 0) || shrinkage == std::numeric_limits<double>::infinity()) return identity(n);
  Matrix<double> metric = moments;
  for (std::size_t i = 0; i < n; ++i) metric.row(i)[i] += shrinkage * mean;
  const double scale = 1 / (mean * (1 + shrinkage));
  for (double& value : metric.values) value *= scale;
  return metric;
}

// Filled up to whole blocks.
Matrix<double> completed(const Matrix<double>& metric, std::size_t block) {
  constexpr double kWeight = 0.1;
  const std::size_t n = (metric.rows + block - 1) / block * block;
  Matrix<double> whole(n, n);
  for (std::size_t i = 0; i < n; ++i) {
    if (i < metric.rows) std::copy_n(metric.row(i), metric.cols, whole.row(i));
    if (i >= metric.rows) whole.row(i)[i] = kWeight;
  }
  return whole;
}

// Row i of the block form: solves the block's own triangle away. `solved` holds the rows of the
// same block below i.
void eliminate(const UnitTriangular& factors, std::size_t i, std::size_t end,
               Matrix<double>& solved, std::size_t first) {
  const double* u = factors.u.row(i);
  double* row = solved.row(i - first);
  std::fill(row, row + end, 0.0);
  std::copy(u + end, u + solved.cols, row + end);
  for (std::size_t k = i + 1; k < end; ++k) {
    const double* other = solved.row(k - first);
    for (std::size_t j = end; j < solved.cols; ++j) row[j] -= u[k] * other[j];
  }
}

// At most `limit` rows, spread evenly, where they lie.
std::vector<const float*> choose_rows(MatrixView<float> rows, std::size_t limit) {
  const std::size_t count = std::min(rows.rows, limit);
  std::vector<const float*> chosen(count);
  for (std::size_t i = 0; i < count; ++i) chosen[i] = rows.row(spread_row(i, count, rows.rows));
  return chosen;
}

// Samples column by column, less their mean, and times a power of two that makes the largest
// value about 1.
struct Samples {
  Matrix<float> columns;    // [dim][samples]
  std::vector<float> mean;  // before the scaling
};

float largest_of(const std::vector<const float*>& rows, std::size_t dim) {
  float largest = 0;
  for (const float* row : rows) largest = std::max(largest, largest_size(row, dim));
  return largest;
}

Samples gather(const std::vector<const float*>& rows, std::size_t dim, bool centre) {
  Samples samples{Matrix<float>(dim, rows.size()), std::vector<float>(dim)};
  int exponent = 0;
  std::frexp(largest_of(rows, dim), &exponent);
  for (std::size_t i = 0; i < dim && centre; ++i) {
    double sum = 0;
    for (const float* row : rows) sum += double{row[i]};
    samples.mean[i] = static_cast<float>(sum / static_cast<double>(rows.size()));
  }
  for (std::size_t s = 0; s < rows.size(); ++s) {
    for (std::size_t i = 0; i < dim; ++i) {
      samples.columns.row(i)[s] =
          std::ldexp(rows[s][i], -exponent) - std::ldexp(samples.mean[i], -exponent);
    }
  }
  return samples;
}

Matrix<double> second_moments(const Matrix<float>& columns, int threads) {
  const std::size_t n = columns.rows;
  Matrix<double> moments(n, n);
  const auto count = static_cast<double>(columns.cols);
  parallel_for(n, 1, threads, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t i = begin; i < end; ++i) {
      for (std::size_t j = 0; j <= i; ++j) {
        const float sum = kernels().dot(columns.row(i), columns.row(j), columns.cols);
        moments.row(i)[j] = double{sum} / count;
      }
    }
  });
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i + 1; j < n; ++j) moments.row(i)[j] = moments.row(j)[i];
  }
  return moments;
}

// Ledoit and Wolf's estimate of how much of the metric's unevenness is the sample's: as the weight
// of the identity beside a whole M; infinity where nothing else is left.
double noise_shrinkage(const Matrix<float>& columns, const Matrix<double>& moments) {
  const auto n = static_cast<double>(moments.rows);
  const auto count = static_cast<double>(columns.cols);
  double fourth = 0;  // sum |z|^4
  std::vector<double> norms(columns.cols);
  for (std::size_t i = 0; i < columns.rows; ++i) {
    const float* column = columns.row(i);
    for (std::size_t s = 0; s < columns.cols; ++s) norms[s] += double{column[s]} * column[s];
  }
  for (const double norm : norms) fourth += norm * norm;
  double square = 0;
  for (const double value : moments.values) square += value * value;
  const double mean = trace(moments) / n;
  const double uneven = square - n * mean * mean;
  const double noise = (fourth / count - square) / count;
  if (noise >= uneven) return std::numeric_limits<double>::infinity();
  return noise / (uneven - noise);
}

void require(bool holds, std::string_view what) {
  if (!holds) throw std::invalid_argument(std::string(what));
}

// A metric of trace n whose eigenvalues are not small: encoders divide by those of its blocks.
// Numbers beyond the bounds, which no learnt metric comes near, would overflow in sums of theirs.
void check_matrix(const Matrix<float>& metric, std::size_t block) {
  constexpr double kLeastEigenvalue = 0.05;
  const auto most = 2 * static_cast<float>(metric.rows);
  for (std::size_t i = 0; i < metric.rows; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      const float value = metric.row(i)[j];
      require(std::abs(value) <= most, "a number of the metric is too large");
      require(value == metric.row(j)[i], "the metric is not symmetric");
    }
  }
  for (std::size_t first = 0; first < metric.rows; first += block) {
    Matrix<double> part(block, block);
    for (std::size_t i = 0; i < block; ++i) {
      std::copy_n(metric.row(first + i) + first, block, part.row(i));
      part.row(i)[i] -= kLeastEigenvalue;
    }
    for (const double pivot : decompose(part).d) {
      require(pivot > 0, "the metric is not positive definite");
    }
  }
}

}  // namespace

QueryMetric::QueryMetric(const Matrix<double>& moments, double shrinkage, std::size_t block)
    : block_(block) {
  assert(block >= 1 && moments.rows == moments.cols);
  const Matrix<double> metric = completed(shrunk(moments, shrinkage), block);
  const std::size_t n = metric.rows;
  matrix_ = Matrix<float>(n, n);
  feedback_ = Matrix<float>(n, n);
  const UnitTriangular factors = decompose(metric);
  std::copy(metric.values.begin(), metric.values.end(), matrix_.values.begin());
  pivots_.assign(factors.d.begin(), factors.d.end());
  Matrix<double> solved(block, n);
  for (std::size_t first = 0; first < n; first += block) {
    const std::size_t end = first + block;
    for (std::size_t i = end; i-- > first;) {
      eliminate(factors, i, end, solved, first);
      std::copy_n(solved.row(i - first), n, feedback_.row(i));
    }
  }
}

QueryMetric QueryMetric::learn(const TrainingData& data, std::size_t dim, std::size_t block) {
  const bool has_queries = data.queries.rows > 0;
  const std::size_t limit = std::max<std::size_t>(4096, 10 * dim);
  const auto rows = choose_rows(has_queries ? data.queries : data.vectors, limit);
  if (rows.size() < kFewestSamples) return QueryMetric(identity(dim), 0, block);
  const Samples samples = gather(rows, dim, has_queries);
  const Matrix<double> moments = second_moments(samples.columns, data.threads);
  const double noise = noise_shrinkage(samples.columns, moments);
  QueryMetric metric(moments, std::max(kShrinkage, noise), block);
  if (has_queries) metric.mean_ = samples.mean;
  return metric;
}

std::vector<std::uint8_t> QueryMetric::state() const {
  std::vector<std::uint8_t> bytes;
  for (const std::vector<float>* part : {&matrix_.values, &feedback_.values, &pivots_, &mean_}) {
    const auto* begin = reinterpret_cast<const std::uint8_t*>(part->data());
    bytes.insert(bytes.end(), begin, begin + part->size() * sizeof(float));
  }
  return bytes;
}

QueryMetric QueryMetric::restore(std::span<const std::uint8_t> state, std::size_t dim,
                                 std::size_t block) {
  const std::size_t n = (dim + block - 1) / block * block;
  const std::size_t numbers = state.size() / sizeof(float);
  const std::size_t fixed = 2 * n * n + n;
  if (state.size() % sizeof(float) != 0 || (numbers != fixed && numbers != fixed + dim)) {
    throw std::invalid_argument(
        fmt::format("a metric of {} bytes is none of {} dims, which take {} or {}", state.size(),
                    dim, fixed * sizeof(float), (fixed + dim) * sizeof(float)));
  }
  QueryMetric metric(block);
  metric.matrix_ = Matrix<float>(n, n);
  metric.feedback_ = Matrix<float>(n, n);
  metric.pivots_.resize(n);
  metric.mean_.resize(numbers - fixed);
  const std::uint8_t* from = state.data();
  for (std::vector<float>* part :
       {&metric.matrix_.values, &metric.feedback_.values, &metric.pivots_, &metric.mean_}) {
    const std::size_t bytes = part->size() * sizeof(float);
    if (bytes > 0) std::memcpy(part->data(), from, bytes);
    from += bytes;
    for (const float value : *part) {
      require(std::isfinite(value), "a number of the metric is not finite");
    }
  }
  check_matrix(metric.matrix_, block);
  const auto most = 100 * static_cast<float>(n);
  for (const float value : metric.feedback_.values) {
    require(std::abs(value) <= most, "a number of the metric's feedback is too large");
  }
  for (const float pivot : metric.pivots_)
    require(pivot > 0, "a pivot of the metric is not positive");
  return metric;
}

}  // namespace obliq

#include "quant/water_filling/wf_components.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "core/symmetric_eigen.h"

namespace obliq {
namespace {

// Queries in a few directions say little of the others: this share of their mean is added
// everywhere.
constexpr double kRidge = 1e-3;
constexpr double kNoise = 1e-12;  // what rounding leaves of a variance of 0, where the mean is 1

// E x x^T scaled to trace dim; empty where nothing can be learnt from it: all zero, or so large or
// small that its squares are no floats. Long vectors weigh more, as their errors do.
Matrix<double> scaled_moment(MatrixView<float> vectors, int threads) {
  Matrix<double> moment = second_moment(vectors, threads);
  double trace = 0;
  for (std::size_t i = 0; i < moment.rows; ++i) trace += moment.row(i)[i];
  if (!(trace > 1e-30 && trace < 1e30)) return {};
  for (double& value : moment.values) value *= static_cast<double>(moment.rows) / trace;
  return moment;
}

// C of m + ridge = C C^T, lower triangular (Cholesky). The trace of m is its dim.
Matrix<double> lower_root(Matrix<double> m) {
  for (std::size_t i = 0; i < m.rows; ++i) {
    m.row(i)[i] += kRidge;
    for (std::size_t j = 0; j <= i; ++j) {
      double left = m.row(i)[j];
      for (std::size_t k = 0; k < j; ++k) left -= m.row(i)[k] * m.row(j)[k];
      m.row(i)[j] = i == j ? std::sqrt(left) : left / m.row(j)[j];
    }
    std::fill(m.row(i) + i + 1, m.row(i) + m.cols, 0.0);
  }
  return m;
}

// c^T m c for lower triangular c.
Matrix<double> conjugated(const Matrix<double>& m, const Matrix<double>& c) {
  const std::size_t n = m.rows;
  const auto times_c = [&](const double* row) {
    std::vector<double> product(n);
    for (std::size_t k = 0; k < n; ++k) {
      for (std::size_t j = 0; j <= k; ++j) product[j] += row[k] * c.row(k)[j];
    }
    return product;
  };
  Matrix<double> result(n, n);
  for (std::size_t k = 0; k < n; ++k) {
    const std::vector<double> product = times_c(m.row(k));
    for (std::size_t i = 0; i <= k; ++i) {
      for (std::size_t j = 0; j < n; ++j) result.row(i)[j] += c.row(k)[i] * product[j];
    }
  }
  return result;
}

// C u and C^-T u, into floats: scaled by 1/deviation and by deviation.
void add_rows(const Matrix<double>& c, const double* u, double deviation, float* analysis,
              float* synthesis) {
  const std::size_t n = c.rows;
  std::vector<double> solved(u, u + n);
  for (std::size_t i = n; i-- > 0;) {
    solved[i] /= c.row(i)[i];
    for (std::size_t j = 0; j < i; ++j) solved[j] -= c.row(i)[j] * solved[i];
  }
  for (std::size_t i = 0; i < n; ++i) {
    double sum = 0;
    for (std::size_t j = 0; j <= i; ++j) sum += c.row(i)[j] * u[j];
    analysis[i] = static_cast<float>(sum / deviation);
    synthesis[i] = static_cast<float>(solved[i] * deviation);
  }
}

struct Header {
  std::uint32_t width;
  std::uint32_t weighted;
};

}  // namespace

Components equal_components(std::size_t dim, std::size_t bits, Allot allot) {
  Components components{allot(std::vector<double>(dim, 1.0), bits), Matrix<float>(dim, dim),
                        Matrix<float>(dim, dim)};
  for (std::size_t i = 0; i < dim; ++i) components.analysis.row(i)[i] = 1;
  components.synthesis = components.analysis;
  return components;
}

Components learn_components(const TrainingData& data, std::size_t bits, Allot allot) {
  const std::size_t dim = data.vectors.cols;
  Matrix<double> moment = scaled_moment(data.vectors, data.threads);
  if (moment.rows == 0) return {};
  Matrix<double> root = scaled_moment(data.queries, data.threads);
  const bool weighted = root.rows > 0;
  if (weighted) {
    root = lower_root(std::move(root));
    moment = conjugated(moment, root);
  } else {
    root = Matrix<double>(dim, dim);
    for (std::size_t i = 0; i < dim; ++i) root.row(i)[i] = 1;
  }
  SymmetricEigen eigen = symmetric_eigen(std::move(moment));
  for (double& value : eigen.values) value = value > kNoise ? value : 0;
  const std::vector<std::size_t> counts = allot(eigen.values, bits);
  const auto width = static_cast<std::size_t>(
      std::count_if(counts.begin(), counts.end(), [](std::size_t n) { return n > 1; }));
  Components kept{{}, Matrix<float>(width, dim), Matrix<float>(width, dim), weighted};
  for (std::size_t i = 0; i < dim; ++i) {
    if (counts[i] == 1) continue;
    float* analysis = kept.analysis.row(kept.counts.size());
    float* synthesis = kept.synthesis.row(kept.counts.size());
    kept.counts.push_back(counts[i]);
    add_rows(root, eigen.vectors.row(i), std::sqrt(eigen.values[i]), analysis, synthesis);
  }
  return kept;
}

std::vector<std::uint8_t> to_state(const Components& components) {
  const auto width = static_cast<std::uint32_t>(components.counts.size());
  const Header header{width, components.weighted ? 1U : 0U};
  const std::size_t matrix = components.synthesis.values.size() * sizeof(float);
  std::vector<std::uint8_t> state(sizeof header + width + 2 * matrix);
  std::memcpy(state.data(), &header, sizeof header);
  std::uint8_t* at = state.data() + sizeof header;
  for (const std::size_t count : components.counts) *at++ = static_cast<std::uint8_t>(count - 1);
  std::memcpy(at, components.synthesis.values.data(), matrix);
  std::memcpy(at + matrix, components.analysis.values.data(), matrix);
  return state;
}

Components from_state(std::span<const std::uint8_t> state, std::size_t dim) {
  const auto refuse = [] { throw std::invalid_argument("damaged state of a wf quantizer"); };
  Header header{};
  if (state.size() < sizeof header) refuse();
  std::memcpy(&header, state.data(), sizeof header);
  if (header.width == 0 || header.width > dim || header.weighted > 1) refuse();
  const std::size_t matrix = header.width * dim * sizeof(float);
  if (state.size() != sizeof header + header.width + 2 * matrix) refuse();
  Components components{
      {}, Matrix<float>(header.width, dim), Matrix<float>(header.width, dim), header.weighted == 1};
  const std::uint8_t* at = state.data() + sizeof header;
  for (std::size_t i = 0; i < header.width; ++i) components.counts.push_back(1U + *at++);
  std::memcpy(components.synthesis.values.data(), at, matrix);
  std::memcpy(components.analysis.values.data(), at + matrix, matrix);
  constexpr float kLargest = 1e12F;  // keeps every product finite
  for (const auto* values : {&components.synthesis.values, &components.analysis.values}) {
    if (!std::all_of(values->begin(), values->end(),
                     [](float v) { return std::abs(v) < kLargest; })) {
      refuse();
    }
  }
  return components;
}

}  // namespace obliq

// Householder reflections H_k make the matrix tridiagonal, T = H A H; implicit QL with shifts then
// makes it diagonal (Bowdler, Martin, Reinsch, Wilkinson 1968). Eigenvectors are kept as rows, so
// that each plane rotation works on two contiguous rows.
#include "core/symmetric_eigen.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>

#include "core/kernels/dispatch.h"
#include "core/parallel.h"

namespace obliq {
namespace {

constexpr std::size_t kPanel = 1024;  // vectors whose products are summed in floats
constexpr std::size_t kWidth = 16;    // dims that the kernel takes side by side

// A panel of vectors in two layouts, zeros where there are none: by dims, [dim][kPanel], and by
// groups of 16 dims side by side, [groups][kPanel][16].
struct Panel {
  explicit Panel(std::size_t dim)
      : groups((dim + kWidth - 1) / kWidth),
        columns(dim, kPanel),
        beside(groups, kPanel * kWidth) {}

  void set(MatrixView<float> vectors) {
    std::fill(columns.values.begin(), columns.values.end(), 0.0F);
    std::fill(beside.values.begin(), beside.values.end(), 0.0F);
    for (std::size_t i = 0; i < vectors.rows; ++i) {
      const float* row = vectors.row(i);
      for (std::size_t j = 0; j < vectors.cols; ++j) {
        columns.row(j)[i] = row[j];
        beside.row(j / kWidth)[i * kWidth + j % kWidth] = row[j];
      }
    }
  }

  std::size_t groups;
  Matrix<float> columns;
  Matrix<float> beside;
};

double dot(const double* x, const double* y, std::size_t n) {
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += x[i] * y[i];
  return sum;
}

// The tridiagonal form: diagonal, and beside[i] between i and i + 1. Row k of `reflections` holds
// from k + 1 on the v of H_k = 1 - v v^T (|v|^2 = 2, or v = 0).
struct Tridiagonal {
  std::vector<double> diagonal;
  std::vector<double> beside;
  Matrix<double> reflections;
};

// Turns the n values of `row`, right of the diagonal, into the v that reflects them to (+-norm, 0,
// ...). Returns that first value.
double make_reflection(double* row, std::size_t n) {
  const double first = row[0];
  if (std::all_of(row + 1, row + n, [](double value) { return value == 0; })) {
    row[0] = 0;
    return first;
  }
  const double norm = std::copysign(std::sqrt(dot(row, row, n)), -first);
  row[0] -= norm;
  const double length = std::sqrt(dot(row, row, n) / 2);
  for (std::size_t i = 0; i < n; ++i) row[i] /= length;
  return norm;
}

// a <- H a H on its last n rows and columns, H = 1 - v v^T: with w = a v - (v a v)/2 v, it is
// a - v w^T - w v^T. `a` has all of its elements.
void reflect_both_sides(Matrix<double>& a, std::size_t first, const double* v) {
  const std::size_t n = a.rows - first;
  std::vector<double> w(n);
  for (std::size_t i = 0; i < n; ++i) w[i] = dot(a.row(first + i) + first, v, n);
  const double half = dot(w.data(), v, n) / 2;
  for (std::size_t i = 0; i < n; ++i) w[i] -= half * v[i];
  for (std::size_t i = 0; i < n; ++i) {
    double* row = a.row(first + i) + first;
    for (std::size_t j = 0; j < n; ++j) row[j] -= v[i] * w[j] + w[i] * v[j];
  }
}

Tridiagonal reduce(Matrix<double> a) {
  const std::size_t n = a.rows;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < i; ++j) a.row(i)[j] = a.row(j)[i];
  }
  Tridiagonal t{std::vector<double>(n), std::vector<double>(n), {}};
  for (std::size_t k = 0; k < n; ++k) {
    t.diagonal[k] = a.row(k)[k];
    if (k + 1 == n) break;
    double* v = a.row(k) + k + 1;
    t.beside[k] = make_reflection(v, n - k - 1);
    reflect_both_sides(a, k + 1, v);
  }
  t.reflections = std::move(a);
  return t;
}

void rotate(double* x, double* y, double cosine, double sine, std::size_t n) {
  for (std::size_t k = 0; k < n; ++k) {
    const double old = y[k];
    y[k] = sine * x[k] + cosine * old;
    x[k] = cosine * x[k] - sine * old;
  }
}

// sqrt(x^2 + y^2) without overflow of the squares. glibc's std::hypot is new in 2.35, and would be
// all that the library needs of it.
double hypotenuse(double x, double y) {
  const auto [small, large] = std::minmax({std::abs(x), std::abs(y)});
  if (large == 0) return 0;
  const double ratio = small / large;
  return large * std::sqrt(1 + ratio * ratio);
}

// One implicit QL sweep over [first, last], with the shift for the eigenvalue at `first`; rotates
// the rows of `vectors` along.
void ql_sweep(Tridiagonal& t, std::size_t first, std::size_t last, Matrix<double>& vectors) {
  std::vector<double>& d = t.diagonal;
  std::vector<double>& e = t.beside;
  double g = (d[first + 1] - d[first]) / (2 * e[first]);
  g = d[last] - d[first] + e[first] / (g + std::copysign(hypotenuse(g, 1), g));
  double sine = 1;
  double cosine = 1;
  double p = 0;
  for (std::size_t i = last; i-- > first;) {
    const double f = sine * e[i];
    const double b = cosine * e[i];
    const double r = hypotenuse(f, g);
    e[i + 1] = r;
    if (r == 0) {  // the matrix splits here
      d[i + 1] -= p;
      e[last] = 0;
      return;
    }
    sine = f / r;
    cosine = g / r;
    g = d[i + 1] - p;
    const double change = (d[i] - g) * sine + 2 * cosine * b;
    p = sine * change;
    d[i + 1] = g + p;
    g = cosine * change - b;
    rotate(vectors.row(i), vectors.row(i + 1), cosine, sine, vectors.cols);
  }
  d[first] -= p;
  e[first] = g;
  e[last] = 0;
}

// Two or three sweeps find an eigenvalue of a finite matrix.
constexpr std::size_t kMostSweeps = 100;

// Makes t diagonal; the rows of the result are its eigenvectors.
Matrix<double> diagonalise(Tridiagonal& t) {
  const std::size_t n = t.diagonal.size();
  Matrix<double> vectors(n, n);
  for (std::size_t i = 0; i < n; ++i) vectors.row(i)[i] = 1;
  double largest = 0;
  for (std::size_t i = 0; i < n; ++i) {
    largest = std::max(largest, std::abs(t.diagonal[i]) + std::abs(t.beside[i]));
  }
  // Relative to the neighbours, or beyond what the whole matrix is known to.
  const auto small = [&](std::size_t i) {
    constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
    const double near = std::abs(t.diagonal[i]) + std::abs(t.diagonal[i + 1]);
    return std::abs(t.beside[i]) <= kEpsilon * std::max(near, kEpsilon * largest);
  };
  for (std::size_t first = 0; first < n; ++first) {
    for (std::size_t sweep = 0;; ++sweep) {
      std::size_t last = first;
      while (last + 1 < n && !small(last)) ++last;
      if (last == first) break;
      if (sweep == kMostSweeps) throw std::invalid_argument("the matrix is not finite");
      ql_sweep(t, first, last, vectors);
    }
  }
  return vectors;
}

}  // namespace

// By a kernel of fixed order, so that what is learnt is the same at every instruction level.
Matrix<double> second_moment(MatrixView<float> vectors, int threads) {
  const std::size_t dim = vectors.cols;
  Matrix<double> moment(dim, dim);
  const auto share = 1 / static_cast<double>(std::max<std::size_t>(vectors.rows, 1));
  Panel panel(dim);
  for (std::size_t first = 0; first < vectors.rows; first += kPanel) {
    panel.set(vectors.slice(first, std::min(kPanel, vectors.rows - first)));
    parallel_for(dim, kWidth, threads, [&](std::size_t begin, std::size_t end, int) {
      for (std::size_t g = 0; g < panel.groups; ++g) {
        for (std::size_t i = begin; i < end; ++i) {
          float sums[kWidth];
          kernels().row_times_16(panel.columns.row(i), panel.beside.row(g), kPanel, sums);
          for (std::size_t j = g * kWidth; j < std::min(dim, (g + 1) * kWidth); ++j) {
            moment.row(i)[j] += share * sums[j - g * kWidth];
          }
        }
      }
    });
  }
  return moment;
}

SymmetricEigen symmetric_eigen(Matrix<double> matrix) {
  assert(matrix.rows == matrix.cols);
  const std::size_t n = matrix.rows;
  Tridiagonal t = reduce(std::move(matrix));
  const Matrix<double> rows = diagonalise(t);
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return t.diagonal[a] > t.diagonal[b]; });
  SymmetricEigen eigen{std::vector<double>(n), Matrix<double>(n, n)};
  for (std::size_t i = 0; i < n; ++i) {
    eigen.values[i] = t.diagonal[order[i]];
    double* vector = eigen.vectors.row(i);
    std::copy_n(rows.row(order[i]), n, vector);
    for (std::size_t k = n - 1; k-- > 0;) {  // back through the reflections
      const double* v = t.reflections.row(k) + k + 1;
      const double along = dot(v, vector + k + 1, n - k - 1);
      for (std::size_t j = k + 1; j < n; ++j) vector[j] -= along * v[j - k - 1];
    }
  }
  return eigen;
}

}  // namespace obliq

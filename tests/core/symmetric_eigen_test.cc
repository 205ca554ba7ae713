// Second moments and eigenvectors against their definitions.
#include "core/symmetric_eigen.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <vector>

#include "core/random.h"

namespace obliq {
namespace {

Matrix<double> random_symmetric(std::size_t n, Random& random) {
  Matrix<double> matrix(n, n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i; j < n; ++j) {
      matrix.row(i)[j] = matrix.row(j)[i] = random.gaussian();
    }
  }
  return matrix;
}

double dot(const double* x, const double* y, std::size_t n) {
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += x[i] * y[i];
  return sum;
}

// V orthonormal, A v_i = lambda_i v_i within `bound`, values falling.
void expect_eigen(const Matrix<double>& matrix, double bound) {
  const std::size_t n = matrix.rows;
  const SymmetricEigen eigen = symmetric_eigen(matrix);
  ASSERT_EQ(eigen.values.size(), n);
  for (std::size_t i = 0; i < n; ++i) {
    EXPECT_GE(eigen.values[i > 0 ? i - 1 : 0], eigen.values[i]);
    const double* v = eigen.vectors.row(i);
    for (std::size_t j = 0; j < n; ++j) {
      EXPECT_NEAR(dot(v, eigen.vectors.row(j), n), i == j ? 1 : 0, 1e-12);
      EXPECT_NEAR(dot(matrix.row(j), v, n), eigen.values[i] * v[j], bound);
    }
  }
}

TEST(SymmetricEigen, DiagonalisesRandomMatricesOfEverySize) {
  Random random(1);
  for (std::size_t n = 1; n <= 20; ++n) expect_eigen(random_symmetric(n, random), 1e-12);
  expect_eigen(random_symmetric(150, random), 1e-11);
}

TEST(SymmetricEigen, DiagonalisesMatricesOfLowRankAndDiagonalOnes) {
  constexpr std::size_t kN = 30;
  Matrix<double> matrix(kN, kN);
  expect_eigen(matrix, 0);  // zero
  for (std::size_t i = 0; i < kN; ++i) matrix.row(i)[i] = 1;
  expect_eigen(matrix, 1e-14);  // one eigenvalue kN times over
  for (std::size_t i = 0; i < kN; ++i) matrix.row(i)[i] = std::exp2(-static_cast<double>(i * 3));
  expect_eigen(matrix, 1e-14);  // eigenvalues over 26 orders of magnitude
  for (std::size_t i = 0; i < kN; ++i) {
    for (std::size_t j = 0; j < kN; ++j) matrix.row(i)[j] = 1e30;
  }
  expect_eigen(matrix, 1e17);  // rank one, large
  EXPECT_NEAR(symmetric_eigen(matrix).values[0] / (1e30 * kN), 1, 1e-12);
}

TEST(SecondMoment, IsTheMeanOfOuterProducts) {
  constexpr std::size_t kDim = 37;
  Random random(2);
  for (const std::size_t rows : {0, 1, 5, 1500}) {
    Matrix<float> vectors(rows, kDim);
    for (float& value : vectors.values) value = static_cast<float>(random.gaussian());
    const Matrix<double> moment = second_moment(vectors.view(), 2);
    for (std::size_t i = 0; i < kDim; ++i) {
      for (std::size_t j = 0; j < kDim; ++j) {
        double expected = 0;
        for (std::size_t n = 0; n < rows; ++n) {
          expected += double{vectors.row(n)[i]} * vectors.row(n)[j] / static_cast<double>(rows);
        }
        EXPECT_NEAR(moment.row(i)[j], expected, 1e-5) << rows;
      }
    }
  }
}

TEST(SecondMoment, DoesNotDependOnTheNumberOfThreads) {
  Random random(3);
  Matrix<float> vectors(1100, 70);
  for (float& value : vectors.values) value = static_cast<float>(random.gaussian());
  EXPECT_EQ(second_moment(vectors.view(), 1).values, second_moment(vectors.view(), 3).values);
}

}  // namespace
}  // namespace obliq

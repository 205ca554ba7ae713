// Second moments of vectors and the eigenvectors of symmetric matrices: the basis of data-aware
// quantizers and of the limits for a given law of queries.
#pragma once

#include <vector>

#include "obliq/matrix_view.h"

namespace obliq {

/// The mean of x x^T over the rows x of `vectors`, [dim][dim]; zero when there are no rows. Not
/// about their mean. threads 0: as many as the process may use; the result does not depend on them.
Matrix<double> second_moment(MatrixView<float> vectors, int threads = 0);

struct SymmetricEigen {
  std::vector<double> values;  ///< in descending order
  Matrix<double> vectors;      ///< row i: the unit eigenvector of values[i]
};

/// All eigenvalues and eigenvectors of a symmetric matrix of finite values (its lower triangle is
/// not read). Cost: about 5 n^3 operations, one second at n = 768.
SymmetricEigen symmetric_eigen(Matrix<double> matrix);

}  // namespace obliq

// The metric in which queries measure a quantization error e = x - x^. The mean squared error of an
// inner product over queries q is E<e,q>^2 = e^T M e with M = E[q q^T] (arXiv 2602.05790 with
// Sigma = M); an encoder that uses M does better, with a decoder that does not know it.
//
// M is estimated from m samples and shrunk towards a multiple of the identity,
//
//     M + eps (tr M / d) I,    eps = max(kShrinkage, what Ledoit and Wolf (2004) ask for)
//
// then scaled to trace d, so that its mean eigenvalue is 1. The mean query is subtracted first (M
// is then the covariance), since an index corrects <e, mean> exactly.
//
// Successive cancellation needs M = U^T D U, U unit upper triangular, or unit upper triangular in
// blocks of coordinates and then D block-diagonal:
//
//     e^T M e = sum_i d_i (e_i + sum_{j>i} u_ij e_j)^2        (blocks of one coordinate)
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "obliq/matrix_view.h"
#include "obliq/quantizer.h"

namespace obliq {

/// U (diagonal 1, zero below) and the diagonal of D, for blocks of one coordinate.
struct UnitTriangular {
  Matrix<double> u;
  std::vector<double> d;
};

/// Decomposes a symmetric positive definite matrix. Cost: dim^3 / 6 multiplications.
UnitTriangular decompose(const Matrix<double>& metric);

class QueryMetric {
 public:
  /// The least shrinkage of the metric. A tenth gives the same recall for queries like those
  /// learnt from; three tenths lose least for others.
  static constexpr double kShrinkage = 0.3;

  static constexpr std::size_t kFewestSamples = 16;

  /// The metric of given second moments, symmetric, at least 0; zero stands for the identity.
  /// `block` coordinates form a block. The last block is filled up: coordinates of a small
  /// weight that nothing else depends on.
  QueryMetric(const Matrix<double>& moments, double shrinkage, std::size_t block = 1);

  /// Learns from data.queries or, when there are none, from data.vectors as they are, mean
  /// included. Takes at most max(4096, 10 dim) of the rows, evenly spread. The identity when there
  /// are fewer than kFewestSamples. Same bits whatever the threads and the platform.
  static QueryMetric learn(const TrainingData& data, std::size_t dim, std::size_t block = 1);

  /// All numbers of the metric as bytes, and the metric of such bytes. Throws std::invalid_argument
  /// where their number is not that of this dim, or they are no metric that can be learnt: not
  /// finite, too large, not symmetric, or blocks that are not positive definite.
  std::vector<std::uint8_t> state() const;
  static QueryMetric restore(std::span<const std::uint8_t> state, std::size_t dim,
                             std::size_t block);

  /// Whole blocks.
  std::size_t dim() const { return matrix_.rows; }
  std::size_t block() const { return block_; }
  const float* row(std::size_t i) const { return matrix_.row(i); }
  /// u_ij at [j] for j beyond the block of i, zero up to there.
  const float* feedback(std::size_t i) const { return feedback_.row(i); }
  /// d_i of the whole matrix, for blocks of one coordinate.
  float pivot(std::size_t i) const { return pivots_[i]; }
  /// The mean query; empty where no queries were given.
  std::span<const float> mean() const { return mean_; }

 private:
  explicit QueryMetric(std::size_t block) : block_(block) {}

  std::size_t block_;
  Matrix<float> matrix_;
  Matrix<float> feedback_;
  std::vector<float> pivots_;
  std::vector<float> mean_;
};

}  // namespace obliq

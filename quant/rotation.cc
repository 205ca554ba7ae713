// Random rotations. The fast one is four rounds of
//
//     x <- D x            random signs
//     x <- H x            Walsh-Hadamard on n = 2^floor(log2 dim) coordinates, the first n in even
//                         rounds and the last n in odd ones
//     x <- B x            unless dim = n: (x_i, x_{i+h}) <- (x_i + x_{i+h}, x_i - x_{i+h}) / sqrt 2
//                         with h = ceil(dim/2), i < floor(dim/2)
//
// For dim = n the butterfly would undo the last stage of H. All normalisations are folded into the
// table of signs, so that a round is one multiplication and additions. Nothing but IEEE sums,
// products and square roots in a fixed order: the same bits everywhere.
//
// Small dims, where few signs leave the coordinates far from the law of a random direction, and the
// reference use a dense Haar matrix: Gaussian rows made orthonormal by Gram-Schmidt, which is QR
// with a positive diagonal (Mezzadri, arXiv math-ph/0609050).
#include "obliq/rotation.h"

#include <bit>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "quant/kernels/dispatch.h"
#include "quant/random.h"

namespace obliq {
namespace {

constexpr std::size_t kDenseDim = 32;  // up to here the dense rotation is also the cheaper one
constexpr std::size_t kRounds = 4;
// Keeps the draws of a rotation apart from other draws with the user's seed.
constexpr std::uint64_t kRotationStream = 0x526F746174696F6EULL;

class FastRotation final : public Rotation {
 public:
  FastRotation(std::size_t dim, std::uint64_t seed)
      : kernels_(kernels()), dim_(dim), window_(std::bit_floor(dim)), signs_(kRounds * dim) {
    Random random(seed ^ kRotationStream);
    const double pair = paired() ? std::sqrt(0.5) : 1.0;
    const double inside = pair / std::sqrt(static_cast<double>(window_));
    for (std::size_t round = 0; round < kRounds; ++round) {
      const std::size_t first = window_start(round);
      std::uint64_t bits = 0;
      for (std::size_t i = 0; i < dim; ++i) {
        if (i % 64 == 0) bits = random.next();
        const bool in_window = i >= first && i < first + window_;
        const double scale = in_window ? inside : pair;
        signs_[round * dim + i] = static_cast<float>((bits >> (i % 64) & 1U) != 0 ? scale : -scale);
      }
    }
  }

  std::size_t dim() const override { return dim_; }

  void apply(float* x) const override {
    for (std::size_t round = 0; round < kRounds; ++round) {
      flip(x, round);
      kernels_.hadamard(x + window_start(round), window_);
      if (paired()) butterfly(x);
    }
  }

  void apply_inverse(float* x) const override {
    for (std::size_t round = kRounds; round-- > 0;) {
      if (paired()) butterfly(x);
      kernels_.hadamard(x + window_start(round), window_);
      flip(x, round);
    }
  }

 private:
  bool paired() const { return window_ != dim_; }
  std::size_t window_start(std::size_t round) const { return round % 2 == 0 ? 0 : dim_ - window_; }

  void flip(float* x, std::size_t round) const {
    const float* signs = signs_.data() + round * dim_;
    for (std::size_t i = 0; i < dim_; ++i) x[i] *= signs[i];
  }

  // The butterfly times sqrt 2: its own transpose.
  void butterfly(float* x) const {
    const std::size_t pairs = dim_ / 2;
    float* y = x + (dim_ - pairs);
    for (std::size_t i = 0; i < pairs; ++i) {
      const float sum = x[i] + y[i];
      y[i] = x[i] - y[i];
      x[i] = sum;
    }
    if (dim_ % 2 == 1) x[pairs] *= std::sqrt(2.0F);  // has no partner
  }

  const Kernels& kernels_;
  std::size_t dim_;
  std::size_t window_;
  std::vector<float> signs_;  // [kRounds][dim] +-scale
};

class DenseRotation final : public Rotation {
 public:
  DenseRotation(std::size_t dim, std::uint64_t seed)
      : dim_(dim), rows_(dim * dim), columns_(dim * dim) {
    Random random(seed ^ kRotationStream);
    std::vector<double> matrix(dim * dim);
    for (std::size_t i = 0; i < dim; ++i) {
      for (std::size_t j = 0; j < dim; ++j) matrix[i * dim + j] = random.gaussian();
      make_orthonormal(matrix, i);
    }
    for (std::size_t i = 0; i < dim; ++i) {
      for (std::size_t j = 0; j < dim; ++j) {
        rows_[i * dim + j] = columns_[j * dim + i] = static_cast<float>(matrix[i * dim + j]);
      }
    }
  }

  std::size_t dim() const override { return dim_; }
  void apply(float* x) const override { combine(columns_, x); }
  void apply_inverse(float* x) const override { combine(rows_, x); }

 private:
  // Row i minus its part along the rows before it, twice against rounding, to length 1.
  void make_orthonormal(std::vector<double>& matrix, std::size_t i) const {
    double* row = matrix.data() + i * dim_;
    for (std::size_t other = 0; other < 2 * i; ++other) {
      const double* q = matrix.data() + other % i * dim_;
      double dot = 0;
      for (std::size_t j = 0; j < dim_; ++j) dot += row[j] * q[j];
      for (std::size_t j = 0; j < dim_; ++j) row[j] -= dot * q[j];
    }
    double norm = 0;
    for (std::size_t j = 0; j < dim_; ++j) norm += row[j] * row[j];
    norm = std::sqrt(norm);
    for (std::size_t j = 0; j < dim_; ++j) row[j] /= norm;
  }

  // x <- sum_j x_j v_j for vectors v_j [dim][dim], added in rising j.
  void combine(const std::vector<float>& vectors, float* x) const {
    std::vector<float> sum(dim_);
    for (std::size_t j = 0; j < dim_; ++j) {
      const float* v = vectors.data() + j * dim_;
      for (std::size_t i = 0; i < dim_; ++i) sum[i] += x[j] * v[i];
    }
    for (std::size_t i = 0; i < dim_; ++i) x[i] = sum[i];
  }

  std::size_t dim_;
  std::vector<float> rows_;
  std::vector<float> columns_;
};

void check_dim(std::size_t dim) {
  if (dim == 0) throw std::invalid_argument("dim must be 1 or more, not 0");
}

}  // namespace

std::unique_ptr<const Rotation> make_rotation(std::size_t dim, std::uint64_t seed) {
  check_dim(dim);
  if (dim <= kDenseDim) return make_haar_rotation(dim, seed);
  return std::make_unique<FastRotation>(dim, seed);
}

std::unique_ptr<const Rotation> make_haar_rotation(std::size_t dim, std::uint64_t seed) {
  check_dim(dim);
  return std::make_unique<DenseRotation>(dim, seed);
}

}  // namespace obliq

// Random rotations. The fast one is two rounds, each of these three steps:
//
//     (x_i, x_{i+h}) <- (c_i x_i + s_i x_{i+h}, s_i x_i - c_i x_{i+h})    h = ceil(dim/2)
//     W <- H D W     for W the first n = 2^floor(log2 dim) coordinates
//     W <- H D' W    for W the last n coordinates
//
// with random angles (c_i, s_i), random signs D, D' and the Walsh-Hadamard transform H. The angles
// carry energy between the halves, which the windows of an awkward dim (1.5 n, or 2 n - 1) hardly
// share, and keep a one-hot vector off the lattice of values that signs alone would leave it on.
// Fixed angles of 45 degrees need three rounds for the same law of the coordinates; without the
// second window four are not enough. Normalisation is folded into D. Nothing but IEEE sums,
// products and square roots in a fixed order: the same bits everywhere.
//
// Small dims, where few signs leave the coordinates far from the law of a random direction, and the
// reference use a dense Haar matrix: Gaussian rows made orthonormal by Gram-Schmidt, which is QR
// with a positive diagonal (Mezzadri, arXiv math-ph/0609050).
#include "obliq/rotation.h"

#include <array>
#include <bit>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "core/kernels/dispatch.h"
#include "core/random.h"

namespace obliq {
namespace {

constexpr std::size_t kDenseDim = 32;  // up to here the dense rotation is also the cheaper one
constexpr std::size_t kRounds = 2;
// Keeps the draws of a rotation apart from other draws with the user's seed.
constexpr std::uint64_t kRotationStream = 0x526F746174696F6EULL;

class FastRotation final : public Rotation {
 public:
  FastRotation(std::size_t dim, std::uint64_t seed)
      : kernels_(kernels()), dim_(dim), window_(std::bit_floor(dim)) {
    Random random(seed ^ kRotationStream);
    for (Round& round : rounds_) {
      for (std::size_t i = 0; i < dim / 2; ++i) {
        const double a = random.gaussian();
        const double b = random.gaussian();
        const double norm = std::sqrt(a * a + b * b);
        round.cosines.push_back(static_cast<float>(a / norm));
        round.sines.push_back(static_cast<float>(b / norm));
      }
      round.first_signs = draw_signs(random);
      round.last_signs = draw_signs(random);
    }
  }

  std::size_t dim() const override { return dim_; }

  void apply(float* x) const override {
    float* last = x + (dim_ - window_);
    for (const Round& round : rounds_) {
      turn_pairs(round, x);
      flip(round.first_signs, x);
      kernels_.hadamard(x, window_);
      flip(round.last_signs, last);
      kernels_.hadamard(last, window_);
    }
  }

  void apply_inverse(float* x) const override {
    float* last = x + (dim_ - window_);
    for (std::size_t r = kRounds; r-- > 0;) {
      kernels_.hadamard(last, window_);
      flip(rounds_[r].last_signs, last);
      kernels_.hadamard(x, window_);
      flip(rounds_[r].first_signs, x);
      turn_pairs(rounds_[r], x);
    }
  }

 private:
  struct Round {
    std::vector<float> cosines;  // [dim/2]
    std::vector<float> sines;
    std::vector<float> first_signs;  // [window] +-1/sqrt(window)
    std::vector<float> last_signs;
  };

  std::vector<float> draw_signs(Random& random) const {
    const auto scale = static_cast<float>(1 / std::sqrt(static_cast<double>(window_)));
    std::vector<float> signs(window_);
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < window_; ++i) {
      if (i % 64 == 0) bits = random.next();
      signs[i] = (bits >> (i % 64) & 1U) != 0 ? scale : -scale;
    }
    return signs;
  }

  static void flip(const std::vector<float>& signs, float* x) {
    for (std::size_t i = 0; i < signs.size(); ++i) x[i] *= signs[i];
  }

  // Reflections: each its own transpose.
  void turn_pairs(const Round& round, float* x) const {
    const std::size_t pairs = dim_ / 2;
    float* y = x + (dim_ - pairs);
    const float* c = round.cosines.data();
    const float* s = round.sines.data();
    for (std::size_t i = 0; i < pairs; ++i) {
      const float a = x[i];
      const float b = y[i];
      x[i] = c[i] * a + s[i] * b;
      y[i] = s[i] * a - c[i] * b;
    }
  }

  const Kernels& kernels_;
  std::size_t dim_;
  std::size_t window_;
  std::array<Round, kRounds> rounds_;
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

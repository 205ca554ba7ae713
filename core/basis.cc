// Bases from IEEE sums, products and square roots in a fixed order alone, cosines included.
//
// Haar as a product of reflections (Stewart 1980; Mezzadri, arXiv math-ph/0609050): Q = H_1 .. H_n
// D, where H_i reflects the last n-i+1 coordinates such that column i of Q is, up to what the
// reflections before it do, a random direction. Unlike the dense Gram-Schmidt of
// make_haar_rotation it costs O(n^2) to make, and as much to apply.
//
// The DCT is Lee's (1984): with a_i = x_i + x_{n-1-i} and b_i = (x_i - x_{n-1-i}) / (2 cos(pi
// (2i+1) / 2n)) for the first half of an even length, X_{2k} = DCT(a)_k and X_{2k+1} = DCT(b)_k +
// DCT(b)_{k+1}; in double, because the division loses digits.
#include "core/basis.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>
#include <stdexcept>
#include <vector>

#include "core/kernels/dispatch.h"
#include "core/random.h"

namespace obliq {
namespace {

class Butterfly final : public Rotation {
 public:
  Butterfly(std::size_t dim, std::uint64_t seed) : dim_(dim) {
    Random random(seed);
    for (std::size_t r = 0; r < kRounds; ++r) draw_round(random);
  }

  std::size_t dim() const override { return dim_; }

  void apply(float* x) const override {
    std::size_t first = 0;
    for (std::size_t r = 0; r < kRounds; ++r) {
      for (std::size_t h = 1; h < dim_; h *= 2) first += turn(x, h, first, 1);
    }
  }

  void apply_inverse(float* x) const override {
    std::size_t end = cosines_.size();
    for (std::size_t r = 0; r < kRounds; ++r) {
      for (std::size_t h = std::bit_ceil(dim_) / 2; h > 0; h /= 2) {
        end -= pairs(h);
        turn(x, h, end, -1);
      }
    }
  }

 private:
  static constexpr std::size_t kRounds = 2;

  void draw_round(Random& random) {
    for (std::size_t h = 1; h < dim_; h *= 2) {
      for (std::size_t i = 0; i < dim_; ++i) {
        if ((i & h) != 0 || i + h >= dim_) continue;
        const double a = random.gaussian();
        const double b = random.gaussian();
        const double norm = std::sqrt(a * a + b * b);
        cosines_.push_back(static_cast<float>(a / norm));
        sines_.push_back(static_cast<float>(b / norm));
      }
    }
  }

  // Of the stage h: i without bit h, i + h < dim.
  std::size_t pairs(std::size_t h) const {
    const std::size_t rest = dim_ % (2 * h);
    return dim_ / (2 * h) * h + (rest > h ? rest - h : 0);
  }

  // Turns the pairs of stage h by their angles times `sense`, of +-1, the first of which stands at
  // `first`. Returns how many pairs there are.
  std::size_t turn(float* x, std::size_t h, std::size_t first, float sense) const {
    std::size_t done = first;
    for (std::size_t start = 0; start + h < dim_; start += 2 * h) {
      const std::size_t count = std::min(h, dim_ - start - h);
      const float* c = cosines_.data() + done;
      const float* s = sines_.data() + done;
      float* low = x + start;
      float* high = low + h;
      for (std::size_t i = 0; i < count; ++i) {
        const float a = low[i];
        const float b = high[i];
        const float sine = sense * s[i];
        low[i] = c[i] * a - sine * b;
        high[i] = sine * a + c[i] * b;
      }
      done += count;
    }
    return done - first;
  }

  std::size_t dim_;
  std::vector<float> cosines_;  // a stage after the other
  std::vector<float> sines_;
};

class HaarBasis final : public Rotation {
 public:
  HaarBasis(std::size_t dim, std::uint64_t seed)
      : kernels_(kernels()), dim_(dim), reflectors_(dim * (dim + 1) / 2) {
    Random random(seed);
    std::vector<double> v(dim);
    float* reflector = reflectors_.data();
    for (std::size_t size = dim; size > 0; reflector += size--) {
      double norm2 = 0;
      for (std::size_t i = 0; i < size; ++i) {
        v[i] = random.gaussian();
        norm2 += v[i] * v[i];
      }
      // e_1 goes to -sign(v_1) v / |v|: the diagonal takes the sign back.
      signs_.push_back(v[0] < 0 ? 1.0F : -1.0F);
      const double norm = std::sqrt(norm2);
      norm2 = 2 * norm * (norm + std::abs(v[0]));  // of v once |v| is added to its first entry
      v[0] += v[0] < 0 ? -norm : norm;
      const double scale = std::sqrt(2 / norm2);
      for (std::size_t i = 0; i < size; ++i) reflector[i] = static_cast<float>(v[i] * scale);
    }
  }

  std::size_t dim() const override { return dim_; }

  void apply(float* x) const override {
    for (std::size_t i = 0; i < dim_; ++i) x[i] *= signs_[i];
    const float* v = reflectors_.data() + reflectors_.size();
    for (std::size_t size = 1; size <= dim_; ++size) reflect(v -= size, size, x);
  }

  void apply_inverse(float* x) const override {
    const float* v = reflectors_.data();
    for (std::size_t size = dim_; size > 0; v += size--) reflect(v, size, x);
    for (std::size_t i = 0; i < dim_; ++i) x[i] *= signs_[i];
  }

 private:
  // The last `size` coordinates z of x become z - v <v,z>, where <v,v> = 2.
  void reflect(const float* v, std::size_t size, float* x) const {
    float* z = x + (dim_ - size);
    const float product = kernels_.dot(v, z, size);
    for (std::size_t i = 0; i < size; ++i) z[i] -= product * v[i];
  }

  const Kernels& kernels_;
  std::size_t dim_;
  std::vector<float> reflectors_;  // of sizes dim, dim - 1, ... 1
  std::vector<float> signs_;
};

// cos(pi p / q) by Taylor series on [0, pi/4]: cos differs between libraries.
double cosine(std::size_t p, std::size_t q) {
  p %= 2 * q;
  if (p > q) p = 2 * q - p;
  if (2 * p > q) return -cosine(q - p, q);
  const bool sine = 4 * p > q;  // of the complement
  const double ratio = sine ? static_cast<double>(q - 2 * p) / static_cast<double>(2 * q)
                            : static_cast<double>(p) / static_cast<double>(q);
  const double angle = std::numbers::pi * ratio;
  double term = sine ? angle : 1;
  double sum = 0;
  for (int k = sine ? 1 : 0; k < 20; k += 2) {
    sum += term;
    term *= -angle * angle / ((k + 1) * (k + 2));
  }
  return sum;
}

class Dct {
 public:
  explicit Dct(std::size_t dim) : dim_(dim), odd_(dim) {
    if (dim == 0) throw std::invalid_argument("dim must be 1 or more, not 0");
    for (; odd_ % 2 == 0; odd_ /= 2) {
      for (std::size_t i = 0; i < odd_ / 2; ++i) {
        halves_.push_back(1 / (2 * cosine(2 * i + 1, 2 * odd_)));
      }
    }
    matrix_.reserve(odd_ * odd_);
    for (std::size_t k = 0; k < odd_; ++k) {
      for (std::size_t i = 0; i < odd_; ++i) {
        matrix_.push_back(cosine((2 * i + 1) * k, 2 * odd_));
      }
    }
  }

  std::size_t dim() const { return dim_; }

  // x <- C x.
  void forward(float* x) const {
    std::vector<double> work(2 * dim_);
    for (std::size_t i = 0; i < dim_; ++i) work[i] = x[i];
    split(work.data(), dim_, halves_.data(), work.data() + dim_);
    for (std::size_t i = 0; i < dim_; ++i) x[i] = static_cast<float>(work[i] * scale(i));
  }

  // x <- C^T x.
  void backward(float* x) const {
    std::vector<double> work(2 * dim_);
    for (std::size_t i = 0; i < dim_; ++i) work[i] = x[i] * scale(i);
    join(work.data(), dim_, halves_.data(), work.data() + dim_);
    for (std::size_t i = 0; i < dim_; ++i) x[i] = static_cast<float>(work[i]);
  }

 private:
  double scale(std::size_t k) const {
    return std::sqrt((k == 0 ? 1.0 : 2.0) / static_cast<double>(dim_));
  }

  // X_k = sum_i x_i cos(pi (2i+1) k / 2n), in place; `half` are the divisors of this length and of
  // its halves after it, `work` is scratch of n.
  void split(double* x, std::size_t n, const double* half, double* work) const {
    if (n == odd_) {
      for (std::size_t k = 0; k < n; ++k) {
        work[k] = 0;
        for (std::size_t i = 0; i < n; ++i) work[k] += x[i] * matrix_[k * n + i];
      }
      std::copy_n(work, n, x);
      return;
    }
    const std::size_t h = n / 2;
    for (std::size_t i = 0; i < h; ++i) {
      work[i] = x[i] + x[n - 1 - i];
      work[h + i] = (x[i] - x[n - 1 - i]) * half[i];
    }
    split(work, h, half + h, x);
    split(work + h, h, half + h, x);
    for (std::size_t k = 0; k < h; ++k) {
      x[2 * k] = work[k];
      x[2 * k + 1] = work[h + k] + (k + 1 < h ? work[h + k + 1] : 0);
    }
  }

  // x_i = sum_k X_k cos(pi (2i+1) k / 2n): the transpose of split, stage by stage.
  void join(double* x, std::size_t n, const double* half, double* work) const {
    if (n == odd_) {
      std::fill_n(work, n, 0.0);
      for (std::size_t k = 0; k < n; ++k) {
        for (std::size_t i = 0; i < n; ++i) work[i] += x[k] * matrix_[k * n + i];
      }
      std::copy_n(work, n, x);
      return;
    }
    const std::size_t h = n / 2;
    for (std::size_t k = 0; k < h; ++k) {
      work[k] = x[2 * k];
      work[h + k] = x[2 * k + 1] + (k > 0 ? x[2 * k - 1] : 0);
    }
    join(work, h, half + h, x);
    join(work + h, h, half + h, x);
    for (std::size_t i = 0; i < h; ++i) {
      const double b = work[h + i] * half[i];
      x[i] = work[i] + b;
      x[n - 1 - i] = work[i] - b;
    }
  }

  std::size_t dim_;
  std::size_t odd_;             // the odd part of dim
  std::vector<double> halves_;  // 1 / (2 cos(pi (2i+1) / 2n)) for n = dim, dim/2, ... 2 odd
  std::vector<double> matrix_;  // [odd][odd] cos(pi (2i+1) k / (2 odd)), row k
};

class PlainDct final : public Rotation {
 public:
  explicit PlainDct(std::size_t dim) : dct_(dim) {}
  std::size_t dim() const override { return dct_.dim(); }
  void apply(float* x) const override { dct_.forward(x); }
  void apply_inverse(float* x) const override { dct_.backward(x); }

 private:
  Dct dct_;
};

std::vector<float> draw_signs(std::size_t dim, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> signs(dim);
  for (float& sign : signs) sign = random.below(2) == 0 ? 1.0F : -1.0F;
  return signs;
}

void flip(const std::vector<float>& signs, float* x) {
  for (std::size_t i = 0; i < signs.size(); ++i) x[i] *= signs[i];
}

// E C^T.
class DctBasis final : public Rotation {
 public:
  DctBasis(std::size_t dim, std::uint64_t seed) : dct_(dim), signs_(draw_signs(dim, seed)) {}
  std::size_t dim() const override { return dct_.dim(); }

  void apply(float* x) const override {
    dct_.backward(x);
    flip(signs_, x);
  }

  void apply_inverse(float* x) const override {
    flip(signs_, x);
    dct_.forward(x);
  }

 private:
  Dct dct_;
  std::vector<float> signs_;
};

// C^T E C.
class SignDct final : public Rotation {
 public:
  SignDct(std::size_t dim, std::uint64_t seed) : dct_(dim), signs_(draw_signs(dim, seed)) {}
  std::size_t dim() const override { return dct_.dim(); }

  void apply(float* x) const override {
    dct_.forward(x);
    flip(signs_, x);
    dct_.backward(x);
  }

  void apply_inverse(float* x) const override { apply(x); }

 private:
  Dct dct_;
  std::vector<float> signs_;
};

}  // namespace

BasisPtr make_basis(BasisKind kind, std::size_t dim, std::uint64_t seed) {
  if (dim == 0) throw std::invalid_argument("a basis needs a dim of 1 or more, not 0");
  switch (kind) {
    case BasisKind::kButterfly:
      return std::make_unique<Butterfly>(dim, seed);
    case BasisKind::kHaar:
      return std::make_unique<HaarBasis>(dim, seed);
    case BasisKind::kDct:
      return std::make_unique<DctBasis>(dim, seed);
    case BasisKind::kSignDct:
      return std::make_unique<SignDct>(dim, seed);
    case BasisKind::kFast:
      break;
  }
  return make_rotation(dim, seed);
}

BasisPtr make_dct(std::size_t dim) { return std::make_unique<PlainDct>(dim); }

}  // namespace obliq

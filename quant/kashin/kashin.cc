// kashin2..8: codes over an overcomplete dictionary of orthonormal bases (Kashin, arXiv
// 2404.09737), R bits per coordinate in all, and the rescale factor:
//
//     y = (u + Q v) / sqrt(dim),    x^ = factor * y,    factor = |x|^2 / <x, y>
//
//     method         levels                               how they are chosen
//     (joint)        u: R-1 bits, v: 1 bit                both together, by graduated sweeps
//     :paper         2^R points (u_i, v_i) of the plane   nearest to the greedy decomposition
//     :alternating   u: ceil(R/2) bits, v: floor(R/2)     nearest to the alternating decomposition
//     :signs         R bases with a sign for each         coordinate descent; R = 2..4
//                    coordinate of each
//     :anneal        the same                             annealed by noise; R = 2..4
//
// Q by default is a rotation of the index's kind from another seed; :butterfly, :haar, :dct and
// :signdct take the bases of core/basis.h. Encoding costs two applies of Q per sweep: 32 soft and
// about 2 hard sweeps (joint), 14 steps of one apply (:paper, :alternating), 2 applies in
// each of about 8 (:signs) or 102 (:anneal) sweeps. A query goes through Q once; a product is one
// of bit planes for each basis.
//
// A code is the bit planes (quant/bit_planes.h) of the indices of u, then of v and so on; :paper
// has one index for both.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "core/kernels/dispatch.h"
#include "quant/bit_planes.h"
#include "quant/codebook.h"
#include "quant/kashin/dictionary.h"
#include "quant/kashin/joint_encoder.h"
#include "quant/kashin/kashin_centroids.h"
#include "quant/kashin/kashin_decomposition.h"
#include "quant/level_code.h"

namespace obliq {
namespace {

// Leaves a residual far below what the finest code does (D = .003 at 8 bits).
constexpr KashinOptions kDecomposition{1e-3, 64};

// The levels of one basis and where in the code its indices lie.
struct Block {
  std::size_t first_byte;
  std::size_t bits;
  std::vector<std::int16_t> levels;
};

// Integer levels of all bases with one unit: level = unit * integer.
struct Levels {
  float unit;
  std::vector<std::vector<std::int16_t>> of_basis;
};

class KashinCode : public LevelCode {
 public:
  std::size_t code_bytes() const override { return code_bytes_; }
  std::size_t width() const override { return blocks_.size() * dim(); }
  float unit() const override { return level_unit_ / std::sqrt(static_cast<float>(dim())); }

  void levels(const std::uint8_t* code, std::int16_t* levels) const override {
    std::vector<std::uint8_t> indices(dim());
    for (const Block& block : blocks_) {
      unpack_indices(code + block.first_byte, block.bits, indices);
      for (const std::uint8_t index : indices) *levels++ = block.levels[index];
    }
  }

  void project(const float* q, float* out) const override { dictionary_.analyse(q, out); }
  void project_back(const float* y, float* x) const override { dictionary_.synthesise(y, x); }

  std::int32_t product(const std::uint8_t* code, const IntegerQuery& query,
                       std::span<std::int16_t> /*scratch*/) const override {
    const std::int16_t* values = query.values();
    std::int32_t sum = 0;
    for (const Block& block : blocks_) {
      const std::uint8_t* planes = code + block.first_byte;
      sum += kernels_.dot_planes(planes, planes + plane_bytes(dim()), block.bits,
                                 block.levels.data(), values, dim());
      values += dim();
    }
    return sum;
  }

 protected:
  // `shared`: one index stands for the levels of all bases.
  KashinCode(Dictionary dictionary, Levels levels, bool shared)
      : LevelCode(dictionary.dim()),
        kernels_(kernels()),
        dictionary_(std::move(dictionary)),
        level_unit_(levels.unit) {
    for (std::vector<std::int16_t>& values : levels.of_basis) {
      const auto bits = static_cast<std::size_t>(std::bit_width(values.size() - 1));
      const std::size_t first_byte = shared ? 0 : code_bytes_;
      blocks_.push_back({first_byte, bits, std::move(values)});
      code_bytes_ = first_byte + bits * plane_bytes(dim());
    }
  }

  const Dictionary& dictionary() const { return dictionary_; }

  std::vector<float> float_levels(std::size_t basis) const {
    std::vector<float> values;
    for (const std::int16_t level : blocks_[basis].levels) values.push_back(level_unit_ * level);
    return values;
  }

  // Indices [bases][dim] of a code that does not share them.
  void pack(std::span<const std::uint8_t> indices, std::uint8_t* code) const {
    for (const Block& block : blocks_) {
      pack_indices(indices.first(dim()), block.bits, code + block.first_byte);
      indices = indices.subspan(dim());
    }
  }

 private:
  const Kernels& kernels_;
  Dictionary dictionary_;
  float level_unit_;
  std::size_t code_bytes_ = 0;
  std::vector<Block> blocks_;
};

// Rounds rising levels to integers such that the largest becomes kMaxLevel.
Levels integer_levels(const std::vector<std::vector<double>>& of_basis) {
  double largest = 0;
  for (const auto& values : of_basis) largest = std::max(largest, values.back());
  Levels levels{static_cast<float>(largest / LevelCode::kMaxLevel), {}};
  for (const auto& values : of_basis) {
    std::vector<std::int16_t>& rounded = levels.of_basis.emplace_back();
    for (const double value : values) {
      const double integer = value / largest * LevelCode::kMaxLevel;
      rounded.push_back(static_cast<std::int16_t>(std::lround(integer)));
    }
  }
  return levels;
}

// The levels of a joint code, for vectors of variance 1. They and the softness were searched for
// the least distortion of Gaussian vectors at dim 512. Unlike an even share of the bits, one bit
// for v is better than Lloyd-Max levels at every R.
Levels joint_levels(std::size_t bits) {
  struct Choice {
    double u_scale;  // of Lloyd-Max levels
    double v_level;
  };
  constexpr Choice kChoices[] = {{.87, .636},  {.87, .361},  {.93, .184}, {.965, .0926},
                                 {.98, .0471}, {.97, .0239}, {1, .0120}};
  const Choice& choice = kChoices[bits - 2];
  std::vector<double> u = normal_codebook(bits - 1).levels;
  for (double& level : u) level *= choice.u_scale;
  return integer_levels({u, {-choice.v_level, choice.v_level}});
}

constexpr JointSchedule kGraduated{.sweeps = 32, .softness = 0.8F};

// The sizes of the signs of 2, 3 and 4 bases and the noise of annealing, found likewise.
struct SignChoice {
  std::array<double, 4> hard;
  std::array<double, 4> annealed;
  float noise;
};
constexpr SignChoice kSignChoices[] = {{{.638, .559}, {.606, .590}, .43F},
                                       {{.758, .415, .359}, {.694, .439, .335}, .21F},
                                       {{.758, .487, .243, .223}, {.758, .479, .263, .215}, .12F}};

Levels sign_levels(const std::array<double, 4>& sizes, std::size_t bases) {
  std::vector<std::vector<double>> levels;
  for (std::size_t m = 0; m < bases; ++m) levels.push_back({-sizes[m], sizes[m]});
  return integer_levels(levels);
}

class JointCode final : public KashinCode {
 public:
  JointCode(Dictionary dictionary, Levels levels, const JointSchedule& schedule)
      : KashinCode(std::move(dictionary), std::move(levels), false),
        encoder_(this->dictionary(), all_levels(), schedule) {}

  void choose(const float* x, std::uint8_t* code) const override {
    std::vector<std::uint8_t> indices(width());
    encoder_.encode(x, indices);
    pack(indices, code);
  }

 private:
  std::vector<std::vector<float>> all_levels() const {
    std::vector<std::vector<float>> levels;
    for (std::size_t m = 0; m < dictionary().bases(); ++m) levels.push_back(float_levels(m));
    return levels;
  }

  JointEncoder encoder_;
};

Levels mirrored_levels(std::size_t u_bits, std::size_t v_bits) {
  Levels levels{kKashinUnit, {}};
  for (const auto& half : {alternating_levels(KashinFactor::kU, u_bits),
                           alternating_levels(KashinFactor::kV, v_bits)}) {
    std::vector<std::int16_t>& values = levels.of_basis.emplace_back(half.begin(), half.end());
    for (const std::int16_t level : half) {
      values.insert(values.begin(), static_cast<std::int16_t>(-level));
    }
  }
  return levels;
}

class AlternatingCode final : public KashinCode {
 public:
  AlternatingCode(Dictionary dictionary, std::size_t bits)
      : KashinCode(std::move(dictionary), mirrored_levels((bits + 1) / 2, bits / 2), false) {
    for (std::size_t m = 0; m < 2; ++m) {
      const std::vector<float> levels = float_levels(m);
      for (std::size_t k = 0; k + 1 < levels.size(); ++k) {
        thresholds_[m].push_back(0.5F * (levels[k] + levels[k + 1]));
      }
    }
  }

  void choose(const float* x, std::uint8_t* code) const override {
    const auto factors = decompose_alternating(x, dictionary().basis(1), kDecomposition);
    std::vector<std::uint8_t> indices(width());
    std::uint8_t* out = indices.data();
    for (const auto* factor : {&factors.u, &factors.v}) {
      const auto& thresholds = thresholds_[factor == &factors.u ? 0 : 1];
      kernels().nearest_level(factor->data(), dim(), 1, thresholds.data(), thresholds.size(), out);
      out += dim();
    }
    pack(indices, code);
  }

 private:
  std::array<std::vector<float>, 2> thresholds_;
};

// Point k of the table is index k, its negative the complement of k.
Levels paired_levels(std::size_t bits) {
  const KashinPoints points = kashin_points(bits);
  Levels levels{kKashinUnit, {}};
  for (const auto& half : {points.u, points.v}) {
    std::vector<std::int16_t>& values = levels.of_basis.emplace_back(half.begin(), half.end());
    for (std::size_t k = half.size(); k-- > 0;) {
      values.push_back(static_cast<std::int16_t>(-half[k]));
    }
  }
  return levels;
}

class PairedCode final : public KashinCode {
 public:
  PairedCode(Dictionary dictionary, std::size_t bits)
      : KashinCode(std::move(dictionary), paired_levels(bits), true),
        bits_(bits),
        u_(float_levels(0)),
        v_(float_levels(1)) {
    for (std::size_t k = 0; k < u_.size() / 2; ++k) {
      half_norms_.push_back(0.5F * (u_[k] * u_[k] + v_[k] * v_[k]));
    }
  }

  void choose(const float* x, std::uint8_t* code) const override {
    const auto factors = decompose_greedy(x, dictionary().basis(1), kDecomposition);
    std::vector<std::uint8_t> indices(dim());
    for (std::size_t i = 0; i < dim(); ++i) indices[i] = nearest(factors.u[i], factors.v[i]);
    pack_indices(indices, bits_, code);
  }

 private:
  // Of a centroid and its negative the nearer one has the positive product with the pair.
  std::uint8_t nearest(float u, float v) const {
    float least = std::numeric_limits<float>::infinity();
    std::size_t index = 0;
    for (std::size_t k = 0; k < half_norms_.size(); ++k) {
      const float product = u_[k] * u + v_[k] * v;
      const float distance = half_norms_[k] - std::abs(product);
      if (distance >= least) continue;
      least = distance;
      index = product < 0 ? u_.size() - 1 - k : k;
    }
    return static_cast<std::uint8_t>(index);
  }

  std::size_t bits_;
  std::vector<float> u_;
  std::vector<float> v_;
  std::vector<float> half_norms_;  // |c_k|^2 / 2 of the table's half
};

BasisKind basis_of(const QuantizerRequest& request) {
  if (request.has("butterfly")) return BasisKind::kButterfly;
  if (request.has("haar")) return BasisKind::kHaar;
  if (request.has("dct")) return BasisKind::kDct;
  if (request.has("signdct")) return BasisKind::kSignDct;
  return BasisKind::kFast;
}

std::unique_ptr<const LevelCode> make_code(const QuantizerRequest& request) {
  const std::size_t bits = request.count();
  const bool anneal = request.has("anneal");
  const bool signs = anneal || request.has("signs");
  Dictionary dictionary(basis_of(request), request.dim, signs ? bits : 2, request.seed);
  if (signs) {
    const SignChoice& choice = kSignChoices[bits - 2];
    Levels levels = sign_levels(anneal ? choice.annealed : choice.hard, bits);
    const auto schedule =
        anneal ? JointSchedule{.sweeps = 100, .noise = choice.noise} : JointSchedule{};
    return std::make_unique<JointCode>(std::move(dictionary), std::move(levels), schedule);
  }
  if (request.has("paper")) return std::make_unique<PairedCode>(std::move(dictionary), bits);
  if (request.has("alternating")) {
    return std::make_unique<AlternatingCode>(std::move(dictionary), bits);
  }
  return std::make_unique<JointCode>(std::move(dictionary), joint_levels(bits), kGraduated);
}

}  // namespace

QuantizerPtr make_kashin(const QuantizerRequest& request) {
  return make_level_quantizer(request, request.number, make_code(request));
}

}  // namespace obliq

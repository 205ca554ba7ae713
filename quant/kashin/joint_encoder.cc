#include "quant/kashin/joint_encoder.h"

#include <algorithm>
#include <cassert>
#include <limits>

#include "core/kernels/dispatch.h"
#include "core/random.h"

namespace obliq {
namespace {

constexpr double kLeastGain = 1e-6;  // of the error, for which another sweep is made
constexpr std::uint64_t kNoiseSeed = 0x4E6F697365ULL;

}  // namespace

JointEncoder::JointEncoder(const Dictionary& dictionary,
                           const std::vector<std::vector<float>>& levels,
                           const JointSchedule& schedule)
    : kernels_(kernels()), dictionary_(dictionary), schedule_(schedule) {
  assert(levels.size() == dictionary.bases() && schedule.softness <= 1);
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const std::vector<float>& values : levels) {
    Block block;
    Cell cell{values.front(), -kInfinity, kInfinity, 0, 0};
    for (std::size_t k = 0; k + 1 < values.size(); ++k) {
      cell.upper = 0.5F * (values[k] + values[k + 1]);
      cell.upper_gap = 0.5F * (values[k + 1] - values[k]);
      block.thresholds.push_back(cell.upper);
      block.cells.push_back(cell);
      cell = {values[k + 1], cell.upper, kInfinity, cell.upper_gap, 0};
    }
    block.cells.push_back(cell);
    blocks_.push_back(std::move(block));
  }
}

// The choices so far: values y of all bases and what they leave of x.
class JointEncoder::Search {
 public:
  Search(const JointEncoder& encoder, const float* x, std::span<std::uint8_t> indices)
      : encoder_(encoder),
        dim_(encoder.dictionary_.dim()),
        indices_(indices),
        residual_(x, x + dim_),
        values_(indices.size()),
        target_(dim_),
        change_(dim_) {}

  double error() const {
    double sum = 0;
    for (const float value : residual_) sum += double{value} * value;
    return sum;
  }

  // Chooses every basis anew.
  void sweep(float softness, float noise) {
    for (std::size_t m = 0; m < encoder_.blocks_.size(); ++m) {
      const Block& block = encoder_.blocks_[m];
      float* values = values_.data() + m * dim_;
      std::copy(residual_.begin(), residual_.end(), target_.begin());
      encoder_.dictionary_.apply_inverse(m, target_.data());
      for (std::size_t i = 0; i < dim_; ++i) target_[i] += values[i];
      if (noise > 0) disturb(noise);
      std::uint8_t* indices = indices_.data() + m * dim_;
      encoder_.kernels_.nearest_level(target_.data(), dim_, 1, block.thresholds.data(),
                                      block.thresholds.size(), indices);
      replace(block, indices, softness, values);
      encoder_.dictionary_.apply(m, change_.data());
      for (std::size_t i = 0; i < dim_; ++i) residual_[i] += change_[i];
    }
  }

 private:
  // Adds the sum of two uniform numbers, each below noise/2 in size, to every target.
  void disturb(float noise) {
    const float unit = noise * 0x1p-32F;
    for (float& value : target_) {
      const std::uint64_t bits = random_.next();
      const auto sum = static_cast<std::int64_t>((bits >> 32) + (bits & 0xFFFFFFFFU)) - 0xFFFFFFFF;
      value += unit * static_cast<float>(sum);
    }
  }

  // New values from the nearest levels, ramps beside the thresholds included; change = old - new.
  void replace(const Block& block, const std::uint8_t* indices, float softness, float* values) {
    const float steepness = softness > 0 ? 1 / softness : 0;
    for (std::size_t i = 0; i < dim_; ++i) {
      const Cell& cell = block.cells[indices[i]];
      float value = cell.level;
      if (softness > 0) {
        value += std::max(0.0F, (target_[i] - cell.upper) * steepness + cell.upper_gap);
        value -= std::max(0.0F, (cell.lower - target_[i]) * steepness + cell.lower_gap);
      }
      change_[i] = values[i] - value;
      values[i] = value;
    }
  }

  const JointEncoder& encoder_;
  std::size_t dim_;
  std::span<std::uint8_t> indices_;
  std::vector<float> residual_;
  std::vector<float> values_;
  std::vector<float> target_;
  std::vector<float> change_;
  Random random_{kNoiseSeed};
};

void JointEncoder::encode(const float* x, std::span<std::uint8_t> indices) const {
  Search search(*this, x, indices);
  for (std::size_t left = schedule_.sweeps; left > 0; --left) {
    const float share = static_cast<float>(left) / static_cast<float>(schedule_.sweeps);
    search.sweep(share * schedule_.softness, share * schedule_.noise);
  }
  double last = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < schedule_.hard_sweeps; ++i) {
    search.sweep(0, 0);
    const double error = search.error();
    if (error >= last * (1 - kLeastGain)) return;
    last = error;
  }
}

}  // namespace obliq

#include "quant/nested/nested_points.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace obliq {
namespace {

// Beyond all points of a code, and safe to round.
constexpr float kFarthest = 1e4F;

}  // namespace

NestedPoints::NestedPoints(const NestedOptions& options, std::size_t dim)
    : code_(make_nested_code(options, dim)),
      one_(make_nested_code(options, code_->block())),
      unit_(code_->unit() * std::sqrt(static_cast<float>(dim))) {}

void NestedPoints::round(const float* target, float* point) const {
  std::vector<std::uint8_t> code(one_->code_bytes());
  std::vector<float> x(block());
  std::vector<std::int16_t> levels(block());
  for (std::size_t l = 0; l < kVectorLanes; ++l) {
    for (std::size_t i = 0; i < x.size(); ++i) {
      x[i] = std::clamp(target[kVectorLanes * i + l] * unit_, -kFarthest, kFarthest);
    }
    one_->choose_block(0, x.data(), code.data(), levels.data());
    if (one_->options().choice == ScaleChoice::first) refine_survivors(levels);
    for (std::size_t i = 0; i < x.size(); ++i) point[kVectorLanes * i + l] = levels[i];
  }
}

// First-beta may code a point as another one, at a smaller scale; write() needs one that it codes
// as itself. The scale falls from step to step.
void NestedPoints::refine_survivors(std::vector<std::int16_t>& levels) const {
  std::vector<std::uint8_t> code(one_->code_bytes());
  std::vector<float> x(block());
  std::vector<std::int16_t> before;
  for (std::size_t step = 0; step < one_->options().scales && before != levels; ++step) {
    before = levels;
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = levels[i] * unit_;
    one_->choose_block(0, x.data(), code.data(), levels.data());
  }
}

// Of all codes that of the point itself is the nearest to it. What completes the last block is
// part of the point.
void NestedPoints::write(const float* levels, std::uint8_t* code) const {
  std::fill_n(code, code_->code_bytes(), std::uint8_t{0});
  std::vector<float> x(block());
  std::vector<std::int16_t> same(block());
  for (std::size_t b = 0; b < code_->blocks(); ++b) {
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = levels[b * block() + i] * unit_;
    code_->choose_block(b, x.data(), code, same.data());
  }
}

}  // namespace obliq

// fp16 rounds to nearest.
#include "index/segment/raw_tier.h"

#include <cstring>

#include "core/half.h"
#include "index/segment/raw_form.h"
#include "index/segment/segment.h"

namespace obliq {

std::size_t raw_bytes(RawTier raw, std::size_t dim) {
  switch (raw) {
    case RawTier::none:
      return 0;
    case RawTier::fp16:
      return 2 * dim;
    case RawTier::fp32:
      return 4 * dim;
  }
  return 0;
}

bool write_raw(const float* x, std::size_t dim, RawTier raw, std::uint8_t* out) {
  if (raw == RawTier::fp32) {
    std::memcpy(out, x, raw_bytes(raw, dim));
    return true;
  }
  bool holds = true;
  for (std::size_t j = 0; j < dim; ++j) {
    const std::uint16_t half = float_to_half(x[j]);
    holds = holds && (half & 0x7FFFU) != 0x7C00U;
    std::memcpy(out + 2 * j, &half, sizeof half);
  }
  return holds;
}

const float* raw_row(const Segment& segment, std::size_t row, bool behind, float* scratch) {
  const std::size_t dim = segment.dim();
  const std::uint8_t* stored = segment.raw.data() + row * raw_bytes(segment.model->raw_tier(), dim);
  if (segment.model->raw_tier() == RawTier::fp32) return reinterpret_cast<const float*>(stored);
  const auto* halves = reinterpret_cast<const std::uint16_t*>(stored);
  const float shrink = behind ? 1 / raw_stretch(segment.model->metric()) : 1.0F;
  for (std::size_t i = 0; i < dim; ++i) scratch[i] = shrink * half_to_float(halves[i]);
  return scratch;
}

}  // namespace obliq

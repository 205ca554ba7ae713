// The forms in which exact vectors are kept beside their codes, as stored in SegmentInfo::raw.
#pragma once

#include <cstdint>

#include "obliq/index.h"
#include "obliq/metric.h"

namespace obliq {

enum class RawForm : std::uint16_t {
  none = 0,
  half = 1,    ///< fp16 of the scaled vector (cosine: unit vector), so that fp16 vectors are exact
  single = 2,  ///< the same in fp32
  /// fp16 of the vector behind the transform, in far lists less the centroid: where a whole vector
  /// is so much longer than what tells it from others that 11 bits would hide it. A zero vector of
  /// the cosine metric, which has no direction, is NaN.
  half_behind = 3,
};

/// The power of two that a raw vector is multiplied by where it is kept. Differences of unit
/// vectors, of coordinates up to 4, may lie below the normal numbers of fp16.
constexpr float raw_stretch(RawForm form, Metric metric) {
  return form == RawForm::half_behind && metric == Metric::cosine ? 0x1p12F : 1.0F;
}

constexpr RawTier tier_of(RawForm form) {
  if (form == RawForm::none) return RawTier::none;
  return form == RawForm::single ? RawTier::fp32 : RawTier::fp16;
}

}  // namespace obliq

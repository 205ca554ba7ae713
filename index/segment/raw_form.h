// The forms in which exact vectors are kept beside their codes, as stored in SegmentInfo::raw.
#pragma once

#include <cstdint>

#include "obliq/index.h"
#include "obliq/metric.h"

namespace obliq {

enum class RawForm : std::uint16_t {
  none = 0,
  /// fp16 of the scaled vector (cosine: unit vector), so that fp16 vectors are exact; in far lists
  /// as half_behind.
  half = 1,
  single = 2,  ///< the same in fp32
  /// fp16 of the vector behind the transform, in far lists less the centroid: where a whole vector
  /// is so much longer than what tells it from others that 11 bits would hide it. A zero vector of
  /// the cosine metric, which has no direction, is NaN; others are stretched.
  half_behind = 3,
};

/// Whether vectors of a list are kept behind the transform.
constexpr bool is_behind(RawForm form, bool far_list) {
  return form == RawForm::half_behind || (form == RawForm::half && far_list);
}

/// The power of two by which vectors behind the transform are stretched. Differences of unit
/// vectors, of coordinates up to 4, may lie below the normal numbers of fp16.
constexpr float raw_stretch(Metric metric) { return metric == Metric::cosine ? 0x1p12F : 1.0F; }

constexpr RawTier tier_of(RawForm form) {
  if (form == RawForm::none) return RawTier::none;
  return form == RawForm::single ? RawTier::fp32 : RawTier::fp16;
}

}  // namespace obliq

// IEEE 754 binary16 <-> float, rounding to nearest even, in portable integer arithmetic.
#pragma once

#include <bit>
#include <cstdint>

namespace obliq {

inline constexpr float kMaxHalf = 65504.0F;

/// Exact. Infinities and NaN keep their meaning.
inline float half_to_float(std::uint16_t half) {
  const std::uint32_t sign = std::uint32_t{half & 0x8000U} << 16;
  const std::uint32_t magnitude = half & 0x7FFFU;
  std::uint32_t bits = 0;
  if (magnitude >= 0x7C00U) {
    bits = 0x7F800000U | (magnitude & 0x3FFU) << 13;
  } else {
    bits = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude << 13) * 0x1p112F);
  }
  return std::bit_cast<float>(sign | bits);
}

/// Nearest half, ties to even; beyond 65504 (after rounding) infinity; NaN stays NaN.
inline std::uint16_t float_to_half(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = bits >> 16 & 0x8000U;
  const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
  if (magnitude > 0x7F800000U) return static_cast<std::uint16_t>(sign | 0x7E00U);
  if (magnitude >= 0x477FF000U) return static_cast<std::uint16_t>(sign | 0x7C00U);
  if (magnitude < 0x38800000U) {
    // Subnormal: adding 0.5 leaves the rounded value, in units of 2^-24, in the low bits.
    const float shifted = std::bit_cast<float>(magnitude) + 0.5F;
    return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(shifted) - 0x3F000000U));
  }
  const std::uint32_t odd = magnitude >> 13 & 1U;
  const std::uint32_t rounded = magnitude + 0xFFFU + odd - (112U << 23);
  return static_cast<std::uint16_t>(sign | rounded >> 13);
}

}  // namespace obliq

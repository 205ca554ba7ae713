// The fixed order of kernels.h on AVX-512: its 64 lanes are four registers, register v holding
// lanes 16v .. 16v + 15. Tails are masked loads that put +0 into the missing terms; a lane never
// holds -0, so that adding +0 changes nothing. Internal linkage, as everything in a kernel file.
#pragma once

#include <immintrin.h>

#include "core/kernels/kernels.h"

namespace obliq {
namespace {

constexpr std::size_t kWidth = 16;

inline __mmask16 first_lanes(std::size_t count) noexcept {
  return static_cast<__mmask16>(count >= kWidth ? 0xFFFFU : (1U << count) - 1U);
}

inline float fold(__m512 (&lanes)[4]) noexcept {
  const __m512 quarter = _mm512_add_ps(_mm512_add_ps(lanes[0], lanes[2]),  //
                                       _mm512_add_ps(lanes[1], lanes[3]));
  const __m256 eight =
      _mm256_add_ps(_mm512_castps512_ps256(quarter), _mm512_extractf32x8_ps(quarter, 1));
  __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  four = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(four, _mm_movehdup_ps(four)));
}

}  // namespace
}  // namespace obliq

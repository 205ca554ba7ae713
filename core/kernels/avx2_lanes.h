// The fixed order of kernels.h on AVX2: its 64 lanes are eight registers, register v holding lanes
// 8v .. 8v + 7. Tails are masked loads that put +0 into the missing terms; a lane never holds -0,
// so that adding +0 changes nothing. Internal linkage, as everything in a kernel file.
#pragma once

#include <immintrin.h>

#include "core/kernels/kernels.h"

namespace obliq {
namespace {

constexpr std::size_t kWidth = 8;

inline __m256i first_lanes(std::size_t count) noexcept {
  const int some = static_cast<int>(count < kWidth ? count : kWidth);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(some), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

inline float fold(__m256 (&lanes)[8]) noexcept {
  for (std::size_t half = 4; half > 0; half /= 2) {
    for (std::size_t v = 0; v < half; ++v) lanes[v] = _mm256_add_ps(lanes[v], lanes[v + half]);
  }
  __m128 four = _mm_add_ps(_mm256_castps256_ps128(lanes[0]), _mm256_extractf128_ps(lanes[0], 1));
  four = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(four, _mm_movehdup_ps(four)));
}

}  // namespace
}  // namespace obliq

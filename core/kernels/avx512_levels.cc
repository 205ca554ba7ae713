// AVX-512: the kernels of encoders. The thresholds rise, so that the number of
// those below a value is found by bisection, with the thresholds in registers: VPERMPS and
// VPERMT2PS fetch the next one for 16 values at once. Even for 255 thresholds this beats gathers
// from memory.
#include <immintrin.h>

#include "core/kernels/avx512_lanes.h"
#include "core/kernels/kernels.h"
#include "core/kernels/vector_viterbi.h"

namespace obliq {
namespace {

__m512 infinities() noexcept { return _mm512_set1_ps(__builtin_inff()); }

// Thresholds [first, first + 16), infinity beyond count.
__m512 thresholds_from(const float* thresholds, std::size_t first, std::size_t count) noexcept {
  const __mmask16 present = first < count ? first_lanes(count - first) : __mmask16{0};
  return _mm512_mask_loadu_ps(infinities(), present, thresholds + (present == 0 ? 0 : first));
}

__m512 levels_from(const float* levels, std::size_t first, std::size_t count) noexcept {
  const __mmask16 present = first < count ? first_lanes(count - first) : __mmask16{0};
  return _mm512_maskz_loadu_ps(present, levels + (present == 0 ? 0 : first));
}

// One step of a bisection: index + step where the threshold before that is below the value.
template <class Fetch>
__m512i advance(__m512 value, __m512i index, int step, Fetch threshold_at) noexcept {
  const __m512 threshold = threshold_at(_mm512_add_epi32(index, _mm512_set1_epi32(step - 1)));
  const __mmask16 above = _mm512_cmp_ps_mask(value, threshold, _CMP_GT_OQ);
  return _mm512_mask_add_epi32(index, above, index, _mm512_set1_epi32(step));
}

// Up to 15 thresholds and 16 levels.
class Levels16 {
 public:
  Levels16(const float* thresholds, const float* levels, std::size_t count) noexcept
      : thresholds_(thresholds_from(thresholds, 0, count)),
        middle_(_mm512_permutexvar_ps(_mm512_set1_epi32(7), thresholds_)),
        levels_(levels == nullptr ? infinities() : levels_from(levels, 0, count + 1)) {}

  __m512i index(__m512 value) const noexcept {
    const __mmask16 above = _mm512_cmp_ps_mask(value, middle_, _CMP_GT_OQ);
    __m512i index = _mm512_maskz_set1_epi32(above, 8);
    for (int step = 4; step > 0; step /= 2) {
      index = advance(value, index, step,
                      [this](__m512i at) { return _mm512_permutexvar_ps(at, thresholds_); });
    }
    return index;
  }
  __m512 level(__m512 value) const noexcept { return _mm512_permutexvar_ps(index(value), levels_); }

 private:
  __m512 thresholds_;
  __m512 middle_;
  __m512 levels_;
};

// Up to 32 * pieces - 1 thresholds: the last of each 32 tells the piece, then the bisection runs in
// all pieces at once and keeps the fetch from the right one.
template <std::size_t pieces>
class Levels {
 public:
  Levels(const float* thresholds, const float* levels, std::size_t count) noexcept {
    for (std::size_t part = 0; part < 2 * pieces; ++part) {
      thresholds_[part] = thresholds_from(thresholds, 16 * part, count);
      levels_[part] = levels == nullptr ? infinities() : levels_from(levels, 16 * part, count + 1);
      const std::size_t last = 16 * part + 15;
      last_[part / 2] = last < count ? thresholds[last] : __builtin_inff();
    }
  }

  struct Place {
    __m512i low;               // in its piece
    __mmask16 beyond[pieces];  // beyond[p]: above the pieces before p
  };

  Place place(__m512 value) const noexcept {
    Place place;
    place.low = _mm512_setzero_si512();
#pragma GCC unroll 8
    for (std::size_t p = 1; p < pieces; ++p) {
      place.beyond[p] = _mm512_cmp_ps_mask(value, _mm512_set1_ps(last_[p - 1]), _CMP_GT_OQ);
    }
#pragma GCC unroll 5
    for (int step = 16; step > 0; step /= 2) {
      place.low = advance(value, place.low, step,
                          [&](__m512i at) { return fetch(thresholds_, at, place); });
    }
    return place;
  }
  __m512i index(__m512 value) const noexcept {
    const Place at = place(value);
    __m512i index = at.low;
#pragma GCC unroll 8
    for (std::size_t p = 1; p < pieces; ++p) {
      index = _mm512_mask_add_epi32(index, at.beyond[p], index, _mm512_set1_epi32(32));
    }
    return index;
  }
  __m512 level(__m512 value) const noexcept {
    const Place at = place(value);
    return fetch(levels_, at.low, at);
  }

 private:
  using Table = __m512[2 * pieces];

  static __m512 fetch(const Table& table, __m512i low, const Place& place) noexcept {
    __m512 found = _mm512_permutex2var_ps(table[0], low, table[1]);
#pragma GCC unroll 8
    for (std::size_t p = 1; p < pieces; ++p) {
      found = _mm512_mask_mov_ps(found, place.beyond[p],
                                 _mm512_permutex2var_ps(table[2 * p], low, table[2 * p + 1]));
    }
    return found;
  }

  Table thresholds_;
  Table levels_;
  float last_[pieces];  // of each piece
};

// Calls run with the smallest table that holds `count` thresholds.
template <class Run>
void with_levels(const float* thresholds, const float* levels, std::size_t count,
                 Run run) noexcept {
  if (count < 16) {
    run(Levels16(thresholds, levels, count));
  } else if (count < 32) {
    run(Levels<1>(thresholds, levels, count));
  } else if (count < 64) {
    run(Levels<2>(thresholds, levels, count));
  } else if (count < 128) {
    run(Levels<4>(thresholds, levels, count));
  } else {
    run(Levels<8>(thresholds, levels, count));
  }
}

void nearest_level(const float* x, std::size_t dim, float scale, const float* thresholds,
                   std::size_t count, std::uint8_t* index) noexcept {
  with_levels(thresholds, nullptr, count, [=](const auto& table) {
    const __m512 factor = _mm512_set1_ps(scale);
    std::size_t i = 0;
    for (; i + kWidth <= dim; i += kWidth) {
      const __m512 value = _mm512_mul_ps(_mm512_loadu_ps(x + i), factor);
      _mm_storeu_si128(reinterpret_cast<__m128i*>(index + i),
                       _mm512_cvtepi32_epi8(table.index(value)));
    }
    if (i == dim) return;
    const __mmask16 mask = first_lanes(dim - i);
    const __m512 value = _mm512_mul_ps(_mm512_maskz_loadu_ps(mask, x + i), factor);
    _mm_mask_storeu_epi8(index + i, mask, _mm512_cvtepi32_epi8(table.index(value)));
  });
}

template <class Table>
void score_with(const Table& table, const float* x, std::size_t dim, float scale, float* xy,
                float* yy) noexcept {
  const __m512 factor = _mm512_set1_ps(scale);
  __m512 xy_lanes[4] = {};
  __m512 yy_lanes[4] = {};
  const auto add = [&](std::size_t v, __m512 values, __m512 y) {
    xy_lanes[v] = _mm512_add_ps(xy_lanes[v], _mm512_mul_ps(values, y));
    yy_lanes[v] = _mm512_add_ps(yy_lanes[v], _mm512_mul_ps(y, y));
  };
  std::size_t i = 0;
  for (; i + kLanes <= dim; i += kLanes) {
    for (std::size_t v = 0; v < 4; ++v) {
      const __m512 values = _mm512_loadu_ps(x + i + kWidth * v);
      add(v, values, table.level(_mm512_mul_ps(values, factor)));
    }
  }
  for (std::size_t v = 0; i < dim; ++v, i += kWidth) {
    const __mmask16 mask = first_lanes(dim - i);
    const __m512 values = _mm512_maskz_loadu_ps(mask, x + i);
    add(v, values, _mm512_maskz_mov_ps(mask, table.level(_mm512_mul_ps(values, factor))));
  }
  *xy = fold(xy_lanes);
  *yy = fold(yy_lanes);
}

void score_levels(const float* x, std::size_t dim, float scale, const float* thresholds,
                  const float* levels, std::size_t count, float* xy, float* yy) noexcept {
  with_levels(thresholds, levels, count,
              [=](const auto& table) { score_with(table, x, dim, scale, xy, yy); });
}

void row_times_16(const float* row, const float* x, std::size_t n, float* out) noexcept {
  __m512 sums[4] = {};
  const auto add = [=, &sums](std::size_t j, std::size_t p) {
    const __m512 term = _mm512_mul_ps(_mm512_set1_ps(row[j]), _mm512_loadu_ps(x + 16 * j));
    sums[p] = _mm512_add_ps(sums[p], term);
  };
  std::size_t j = 0;
  for (; j + 4 <= n; j += 4) {
    for (std::size_t p = 0; p < 4; ++p) add(j + p, p);
  }
  for (std::size_t p = 0; j < n; ++p, ++j) add(j, p);
  _mm512_storeu_ps(out, _mm512_add_ps(_mm512_add_ps(sums[0], sums[1]),  //
                                      _mm512_add_ps(sums[2], sums[3])));
}

void pack_signs(const float* x, const float* y, std::size_t dim, std::uint8_t* signs, float* sx,
                float* sy) noexcept {
  const __m512 zero = _mm512_setzero_ps();
  __m512 x_lanes[4] = {};
  __m512 y_lanes[4] = {};
  const auto add = [&](std::size_t v, __m512 values, __m512 others) {
    const __mmask16 below = _mm512_cmp_ps_mask(values, zero, _CMP_NGE_UQ);
    x_lanes[v] = _mm512_add_ps(x_lanes[v], _mm512_mask_sub_ps(values, below, zero, values));
    y_lanes[v] = _mm512_add_ps(y_lanes[v], _mm512_mask_sub_ps(others, below, zero, others));
    return static_cast<std::uint16_t>(~below);
  };
  std::size_t i = 0;
  for (; i + kLanes <= dim; i += kLanes) {
    for (std::size_t v = 0; v < 4; ++v) {
      const std::size_t at = i + kWidth * v;
      const std::uint16_t bits = add(v, _mm512_loadu_ps(x + at), _mm512_loadu_ps(y + at));
      __builtin_memcpy(signs + at / 8, &bits, sizeof bits);
    }
  }
  for (std::size_t v = 0; i < dim; ++v, i += kWidth) {
    const __mmask16 mask = first_lanes(dim - i);
    const auto bits = static_cast<std::uint16_t>(
        mask & add(v, _mm512_maskz_loadu_ps(mask, x + i), _mm512_maskz_loadu_ps(mask, y + i)));
    __builtin_memcpy(signs + i / 8, &bits, plane_bytes(dim - i) < 2 ? 1 : 2);
  }
  *sx = fold(x_lanes);
  *sy = fold(y_lanes);
}

void quantize_words(const float* x, std::size_t dim, double scale, std::int16_t* out) noexcept {
  const __m512d scales = _mm512_set1_pd(scale);
  for (std::size_t i = 0; i < dim; i += 8) {
    const auto present = static_cast<__mmask8>(dim - i >= 8 ? 0xFFU : (1U << (dim - i)) - 1U);
    const __m512d values = _mm512_cvtps_pd(_mm256_maskz_loadu_ps(present, x + i));
    const __m256i rounded = _mm512_cvtpd_epi32(_mm512_mul_pd(values, scales));
    _mm_mask_storeu_epi16(out + i, present, _mm256_cvtepi32_epi16(rounded));
  }
}

void quantize_bytes(const float* x, std::size_t dim, float scale, std::int8_t* row) noexcept {
  const __m512 factor = _mm512_set1_ps(scale);
  const auto bytes = [factor](__m512 values) {
    const __m512 value = _mm512_max_ps(_mm512_mul_ps(values, factor), _mm512_set1_ps(-127.0F));
    return _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(_mm512_min_ps(value, _mm512_set1_ps(127.0F))));
  };
  std::size_t i = 0;
  for (; i + kWidth <= dim; i += kWidth) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(row + i), bytes(_mm512_loadu_ps(x + i)));
  }
  if (i == dim) return;
  const __mmask16 mask = first_lanes(dim - i);
  _mm_mask_storeu_epi8(row + i, mask, bytes(_mm512_maskz_loadu_ps(mask, x + i)));
}

}  // namespace

void install_avx512_levels(Kernels& kernels) noexcept {
  kernels.nearest_level = nearest_level;
  kernels.score_levels = score_levels;
  kernels.row_times_16 = row_times_16;
  kernels.pack_signs = pack_signs;
  kernels.quantize_words = quantize_words;
  kernels.quantize_bytes = quantize_bytes;
  kernels.viterbi = vector_viterbi<16>;
}

}  // namespace obliq

// The AVX-512 level, part 4 of 4: the encoder's kernels. The thresholds rise, so that the number of
// those below a value is found by bisection, with the thresholds in registers: VPERMPS fetches the
// next one for 16 values at once. Above 31 thresholds the last four steps fetch from memory.
#include <immintrin.h>

#include "quant/kernels/avx512_lanes.h"
#include "quant/kernels/kernels.h"

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
  __m512 level(__m512i index) const noexcept { return _mm512_permutexvar_ps(index, levels_); }

 private:
  __m512 thresholds_;
  __m512 middle_;
  __m512 levels_;
};

// Up to 31 thresholds and 32 levels.
class Levels32 {
 public:
  Levels32(const float* thresholds, const float* levels, std::size_t count) noexcept {
    for (std::size_t part = 0; part < 2; ++part) {
      thresholds_[part] = thresholds_from(thresholds, 16 * part, count);
      levels_[part] = levels == nullptr ? infinities() : levels_from(levels, 16 * part, count + 1);
    }
  }

  __m512i index(__m512 value) const noexcept {
    __m512i index = _mm512_setzero_si512();
    for (int step = 16; step > 0; step /= 2) {
      index = advance(value, index, step, [this](__m512i at) {
        return _mm512_permutex2var_ps(thresholds_[0], at, thresholds_[1]);
      });
    }
    return index;
  }
  __m512 level(__m512i index) const noexcept {
    return _mm512_permutex2var_ps(levels_[0], index, levels_[1]);
  }

 private:
  __m512 thresholds_[2];
  __m512 levels_[2];
};

// Up to 255 thresholds and 256 levels: the first bisection is over every sixteenth threshold.
class Levels256 {
 public:
  Levels256(const float* thresholds, const float* levels, std::size_t count) noexcept
      : coarse_(), levels_(levels) {
    for (std::size_t part = 0; part < 16; ++part) {
      _mm512_storeu_ps(thresholds_ + 16 * part, thresholds_from(thresholds, 16 * part, count));
    }
    const __m512i every =
        _mm512_setr_epi32(15, 31, 47, 63, 79, 95, 111, 127, 143, 159, 175, 191, 207, 223, 239, 255);
    coarse_ = fetch(thresholds_, every);
  }

  __m512i index(__m512 value) const noexcept {
    __m512i index = _mm512_setzero_si512();
    for (int step = 8; step > 0; step /= 2) {
      index = advance(value, index, step,
                      [this](__m512i at) { return _mm512_permutexvar_ps(at, coarse_); });
    }
    index = _mm512_slli_epi32(index, 4);
    for (int step = 8; step > 0; step /= 2) {
      index = advance(value, index, step, [this](__m512i at) { return fetch(thresholds_, at); });
    }
    return index;
  }
  __m512 level(__m512i index) const noexcept { return fetch(levels_, index); }

 private:
  static __m512 fetch(const float* table, __m512i at) noexcept {
    return _mm512_mask_i32gather_ps(_mm512_setzero_ps(), 0xFFFF, at, table, 4);
  }

  float thresholds_[256];
  __m512 coarse_;
  const float* levels_;
};

template <class Levels>
void nearest_level_of(const Levels& table, const float* x, std::size_t dim, float scale,
                      std::uint8_t* index) noexcept {
  const __m512 factor = _mm512_set1_ps(scale);
  for (std::size_t i = 0; i < dim; i += kWidth) {
    const __mmask16 mask = first_lanes(dim - i);
    const __m512 value = _mm512_mul_ps(_mm512_maskz_loadu_ps(mask, x + i), factor);
    _mm512_mask_cvtepi32_storeu_epi8(index + i, mask, table.index(value));
  }
}

void nearest_level(const float* x, std::size_t dim, float scale, const float* thresholds,
                   std::size_t count, std::uint8_t* index) noexcept {
  if (count < 16) {
    nearest_level_of(Levels16(thresholds, nullptr, count), x, dim, scale, index);
  } else if (count < 32) {
    nearest_level_of(Levels32(thresholds, nullptr, count), x, dim, scale, index);
  } else {
    nearest_level_of(Levels256(thresholds, nullptr, count), x, dim, scale, index);
  }
}

template <class Levels>
void score_levels_of(const Levels& table, const float* x, std::size_t dim, float scale, float* xy,
                     float* yy) noexcept {
  const __m512 factor = _mm512_set1_ps(scale);
  __m512 xy_lanes[4] = {};
  __m512 yy_lanes[4] = {};
  const auto add = [&](std::size_t v, __m512 values, __mmask16 mask) {
    const __m512i index = table.index(_mm512_mul_ps(values, factor));
    const __m512 y = _mm512_maskz_mov_ps(mask, table.level(index));
    xy_lanes[v] = _mm512_add_ps(xy_lanes[v], _mm512_mul_ps(values, y));
    yy_lanes[v] = _mm512_add_ps(yy_lanes[v], _mm512_mul_ps(y, y));
  };
  std::size_t i = 0;
  for (; i + kLanes <= dim; i += kLanes) {
    for (std::size_t v = 0; v < 4; ++v) add(v, _mm512_loadu_ps(x + i + kWidth * v), 0xFFFF);
  }
  for (std::size_t v = 0; i < dim; ++v, i += kWidth) {
    const __mmask16 mask = first_lanes(dim - i);
    add(v, _mm512_maskz_loadu_ps(mask, x + i), mask);
  }
  *xy = fold(xy_lanes);
  *yy = fold(yy_lanes);
}

void score_levels(const float* x, std::size_t dim, float scale, const float* thresholds,
                  const float* levels, std::size_t count, float* xy, float* yy) noexcept {
  if (count < 16) {
    score_levels_of(Levels16(thresholds, levels, count), x, dim, scale, xy, yy);
  } else if (count < 32) {
    score_levels_of(Levels32(thresholds, levels, count), x, dim, scale, xy, yy);
  } else {
    score_levels_of(Levels256(thresholds, levels, count), x, dim, scale, xy, yy);
  }
}

void quantize_bytes(const float* x, std::size_t dim, float scale, std::int8_t* row) noexcept {
  const __m512 factor = _mm512_set1_ps(scale);
  const __m512 low = _mm512_set1_ps(-127.0F);
  const __m512 high = _mm512_set1_ps(127.0F);
  for (std::size_t i = 0; i < dim; i += kWidth) {
    const __mmask16 mask = first_lanes(dim - i);
    const __m512 value = _mm512_mul_ps(_mm512_maskz_loadu_ps(mask, x + i), factor);
    const __m512 clamped = _mm512_min_ps(_mm512_max_ps(value, low), high);
    _mm512_mask_cvtepi32_storeu_epi8(row + i, mask, _mm512_cvtps_epi32(clamped));
  }
}

}  // namespace

void install_avx512_levels(Kernels& kernels) noexcept {
  kernels.nearest_level = nearest_level;
  kernels.score_levels = score_levels;
  kernels.quantize_bytes = quantize_bytes;
}

}  // namespace obliq

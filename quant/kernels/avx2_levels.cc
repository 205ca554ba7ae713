// The AVX2 level, part 4 of 4: the encoder's kernels. The thresholds rise, so that the number of
// those below a value is found by bisection. Up to 15 thresholds stand in registers, a table for
// each step: of steps s = 8, 4, 2, 1 the table holds thresholds s - 1, 3s - 1, 5s - 1, ..., at most
// eight, and VPERMPS fetches from it by the steps taken before. Above 15 they are fetched from
// memory.
#include <immintrin.h>

#include "quant/kernels/avx2_lanes.h"
#include "quant/kernels/kernels.h"

namespace obliq {
namespace {

__m256 above(__m256 value, __m256 threshold) noexcept {
  return _mm256_cmp_ps(value, threshold, _CMP_GT_OQ);
}

// 2 * index + 1 where the mask is set, else 2 * index.
__m256i append(__m256i index, __m256 mask) noexcept {
  return _mm256_sub_epi32(_mm256_add_epi32(index, index), _mm256_castps_si256(mask));
}

// Up to 15 thresholds and 16 levels.
class Levels16 {
 public:
  Levels16(const float* thresholds, const float* levels, std::size_t count) noexcept {
    float padded[16];
    float padded_levels[16] = {};
    for (std::size_t i = 0; i < 16; ++i) padded[i] = i < count ? thresholds[i] : __builtin_inff();
    for (std::size_t i = 0; levels != nullptr && i <= count; ++i) padded_levels[i] = levels[i];
    const __m256i every = _mm256_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14);
    const __m256i every_other = _mm256_setr_epi32(1, 5, 9, 13, 1, 5, 9, 13);
    step8_ = _mm256_set1_ps(padded[7]);
    step4_[0] = _mm256_set1_ps(padded[3]);
    step4_[1] = _mm256_set1_ps(padded[11]);
    step2_ = fetch(padded, every_other);
    step1_ = fetch(padded, every);
    levels_[0] = fetch(padded_levels, every);
    levels_[1] = fetch(padded_levels + 1, every);
  }

  __m256i index(__m256 value) const noexcept {
    const __m256i half = index_of_pair(value);
    return append(half, above(value, _mm256_permutevar8x32_ps(step1_, half)));
  }
  __m256 level(__m256 value) const noexcept {
    const __m256i half = index_of_pair(value);
    return _mm256_blendv_ps(_mm256_permutevar8x32_ps(levels_[0], half),
                            _mm256_permutevar8x32_ps(levels_[1], half),
                            above(value, _mm256_permutevar8x32_ps(step1_, half)));
  }

 private:
  static __m256 fetch(const float* table, __m256i at) noexcept {
    return _mm256_i32gather_ps(table, at, 4);
  }

  __m256i index_of_pair(__m256 value) const noexcept {
    const __m256 mask8 = above(value, step8_);
    const __m256 mask4 = above(value, _mm256_blendv_ps(step4_[0], step4_[1], mask8));
    const __m256i quarter =
        append(_mm256_sub_epi32(_mm256_setzero_si256(), _mm256_castps_si256(mask8)), mask4);
    return append(quarter, above(value, _mm256_permutevar8x32_ps(step2_, quarter)));
  }

  __m256 step8_;
  __m256 step4_[2];
  __m256 step2_;
  __m256 step1_;
  __m256 levels_[2];
};

// Up to 255 thresholds and 256 levels.
class Levels256 {
 public:
  Levels256(const float* thresholds, const float* levels, std::size_t count) noexcept
      : levels_(levels) {
    while (static_cast<std::size_t>(size_) <= count) size_ *= 2;
    for (std::size_t i = 0; i < 256; ++i) {
      thresholds_[i] = i < count ? thresholds[i] : __builtin_inff();
    }
  }

  __m256i index(__m256 value) const noexcept {
    __m256i index = _mm256_setzero_si256();
    for (int step = size_ / 2; step > 0; step /= 2) {
      const __m256i at = _mm256_add_epi32(index, _mm256_set1_epi32(step - 1));
      const __m256i mask =
          _mm256_castps_si256(above(value, _mm256_i32gather_ps(thresholds_, at, 4)));
      index = _mm256_add_epi32(index, _mm256_and_si256(mask, _mm256_set1_epi32(step)));
    }
    return index;
  }
  __m256 level(__m256 value) const noexcept {
    return _mm256_i32gather_ps(levels_, index(value), 4);
  }

 private:
  float thresholds_[256];
  const float* levels_;
  int size_ = 16;  // smallest power of two above the count
};

// The low bytes of eight numbers of 0..255, in the low half.
__m128i bytes_of(__m256i numbers) noexcept {
  const __m128i words =
      _mm_packus_epi32(_mm256_castsi256_si128(numbers), _mm256_extracti128_si256(numbers, 1));
  return _mm_packus_epi16(words, words);
}

template <class Levels>
void nearest_level_of(const Levels& table, const float* x, std::size_t dim, float scale,
                      std::uint8_t* index) noexcept {
  const __m256 factor = _mm256_set1_ps(scale);
  std::size_t i = 0;
  for (; i + kWidth <= dim; i += kWidth) {
    const __m128i bytes = bytes_of(table.index(_mm256_mul_ps(_mm256_loadu_ps(x + i), factor)));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(index + i), bytes);
  }
  if (i == dim) return;
  const __m256 rest = _mm256_maskload_ps(x + i, first_lanes(dim - i));
  const auto bytes = _mm_cvtsi128_si64(bytes_of(table.index(_mm256_mul_ps(rest, factor))));
  __builtin_memcpy(index + i, &bytes, dim - i);
}

void nearest_level(const float* x, std::size_t dim, float scale, const float* thresholds,
                   std::size_t count, std::uint8_t* index) noexcept {
  if (count < 16) {
    nearest_level_of(Levels16(thresholds, nullptr, count), x, dim, scale, index);
  } else {
    nearest_level_of(Levels256(thresholds, nullptr, count), x, dim, scale, index);
  }
}

template <class Levels>
void score_levels_of(const Levels& table, const float* x, std::size_t dim, float scale, float* xy,
                     float* yy) noexcept {
  const __m256 factor = _mm256_set1_ps(scale);
  __m256 xy_lanes[8] = {};
  __m256 yy_lanes[8] = {};
  const auto add = [&](std::size_t v, __m256 values, __m256 y) {
    xy_lanes[v] = _mm256_add_ps(xy_lanes[v], _mm256_mul_ps(values, y));
    yy_lanes[v] = _mm256_add_ps(yy_lanes[v], _mm256_mul_ps(y, y));
  };
  std::size_t i = 0;
  for (; i + kLanes <= dim; i += kLanes) {
    for (std::size_t v = 0; v < 8; ++v) {
      const __m256 values = _mm256_loadu_ps(x + i + kWidth * v);
      add(v, values, table.level(_mm256_mul_ps(values, factor)));
    }
  }
  for (std::size_t v = 0; i < dim; ++v, i += kWidth) {
    const __m256i mask = first_lanes(dim - i);
    const __m256 values = _mm256_maskload_ps(x + i, mask);
    const __m256 y = table.level(_mm256_mul_ps(values, factor));
    add(v, values, _mm256_and_ps(y, _mm256_castsi256_ps(mask)));
  }
  *xy = fold(xy_lanes);
  *yy = fold(yy_lanes);
}

void score_levels(const float* x, std::size_t dim, float scale, const float* thresholds,
                  const float* levels, std::size_t count, float* xy, float* yy) noexcept {
  if (count < 16) {
    score_levels_of(Levels16(thresholds, levels, count), x, dim, scale, xy, yy);
  } else {
    score_levels_of(Levels256(thresholds, levels, count), x, dim, scale, xy, yy);
  }
}

void quantize_bytes(const float* x, std::size_t dim, float scale, std::int8_t* row) noexcept {
  const __m256 factor = _mm256_set1_ps(scale);
  const auto bytes = [factor](__m256 values) {
    const __m256 low = _mm256_max_ps(_mm256_mul_ps(values, factor), _mm256_set1_ps(-127.0F));
    const __m256i numbers = _mm256_cvtps_epi32(_mm256_min_ps(low, _mm256_set1_ps(127.0F)));
    const __m128i words =
        _mm_packs_epi32(_mm256_castsi256_si128(numbers), _mm256_extracti128_si256(numbers, 1));
    return _mm_packs_epi16(words, words);
  };
  std::size_t i = 0;
  for (; i + kWidth <= dim; i += kWidth) {
    _mm_storel_epi64(reinterpret_cast<__m128i*>(row + i), bytes(_mm256_loadu_ps(x + i)));
  }
  if (i == dim) return;
  const __m256 rest = _mm256_maskload_ps(x + i, first_lanes(dim - i));
  const auto last = _mm_cvtsi128_si64(bytes(rest));
  __builtin_memcpy(row + i, &last, dim - i);
}

}  // namespace

void install_avx2_levels(Kernels& kernels) noexcept {
  kernels.nearest_level = nearest_level;
  kernels.score_levels = score_levels;
  kernels.quantize_bytes = quantize_bytes;
}

}  // namespace obliq

// AVX2: the kernels of encoders. The thresholds rise, so that the number of
// those below a value is found by bisection. Every step has its own table, of 1, 2, 4, ...
// thresholds, indexed by the outcomes of the steps before; VPERMPS looks eight values up in eight
// entries, larger tables are several and blends. Even for 255 thresholds this beats gathers from
// memory.
#include <immintrin.h>

#include "core/kernels/avx2_lanes.h"
#include "core/kernels/kernels.h"
#include "core/kernels/vector_viterbi.h"

namespace obliq {
namespace {

__m256 above(__m256 value, __m256 threshold) noexcept {
  return _mm256_cmp_ps(value, threshold, _CMP_GT_OQ);
}

// 2 * index + 1 where the mask is set, else 2 * index.
__m256i append(__m256i index, __m256 mask) noexcept {
  return _mm256_sub_epi32(_mm256_add_epi32(index, index), _mm256_castps_si256(mask));
}

// table[at] for 0 <= at < size; at least eight floats.
template <std::size_t size>
__m256 fetch(const float* table, __m256i at) noexcept {
  if constexpr (size <= 8) {
    return _mm256_permutevar8x32_ps(_mm256_loadu_ps(table), at);
  } else {
    // The blend looks at the sign, where the bit of `at` that tells the halves is moved.
    constexpr int kBit = 31 - __builtin_clz(static_cast<unsigned>(size / 2));
    return _mm256_blendv_ps(fetch<size / 2>(table, at), fetch<size / 2>(table + size / 2, at),
                            _mm256_castsi256_ps(_mm256_slli_epi32(at, 31 - kBit)));
  }
}

// Up to size - 1 thresholds and size levels, size a power of two from 16 to 256.
template <std::size_t size>
class Levels {
 public:
  Levels(const float* thresholds, const float* levels, std::size_t count) noexcept {
    for (std::size_t nodes = 1; nodes < size; nodes *= 2) {
      for (std::size_t k = 0; k < nodes; ++k) {
        const std::size_t middle = (2 * k + 1) * (size / nodes / 2) - 1;
        steps_[start(nodes) + k] = middle < count ? thresholds[middle] : __builtin_inff();
      }
    }
    for (std::size_t i = 0; levels != nullptr && i <= count; ++i) levels_[i] = levels[i];
  }

  __m256i index(__m256 value) const noexcept { return search<1>(value, _mm256_setzero_si256()); }
  __m256 level(__m256 value) const noexcept { return fetch<size>(levels_, index(value)); }

 private:
  // Steps of fewer than eight nodes have eight floats all the same.
  static constexpr std::size_t start(std::size_t nodes) noexcept {
    return nodes == 1 ? 0 : nodes == 2 ? 8 : nodes == 4 ? 16 : nodes + 16;
  }

  template <std::size_t nodes>
  __m256i search(__m256 value, __m256i at) const noexcept {
    if constexpr (nodes == size) {
      return at;
    } else {
      const __m256 mask = above(value, fetch<nodes>(steps_ + start(nodes), at));
      return search<2 * nodes>(value, append(at, mask));
    }
  }

  float steps_[size + 16] = {};
  float levels_[size] = {};
};

// Calls run with the smallest table that holds `count` thresholds.
template <class Run>
void with_levels(const float* thresholds, const float* levels, std::size_t count,
                 Run run) noexcept {
  if (count < 16) {
    run(Levels<16>(thresholds, levels, count));
  } else if (count < 32) {
    run(Levels<32>(thresholds, levels, count));
  } else if (count < 64) {
    run(Levels<64>(thresholds, levels, count));
  } else if (count < 128) {
    run(Levels<128>(thresholds, levels, count));
  } else {
    run(Levels<256>(thresholds, levels, count));
  }
}

// The low bytes of eight numbers of 0..255, in the low half.
__m128i bytes_of(__m256i numbers) noexcept {
  const __m128i words =
      _mm_packus_epi32(_mm256_castsi256_si128(numbers), _mm256_extracti128_si256(numbers, 1));
  return _mm_packus_epi16(words, words);
}

void nearest_level(const float* x, std::size_t dim, float scale, const float* thresholds,
                   std::size_t count, std::uint8_t* index) noexcept {
  with_levels(thresholds, nullptr, count, [=](const auto& table) {
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
  });
}

template <class Table>
void score_with(const Table& table, const float* x, std::size_t dim, float scale, float* xy,
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
  with_levels(thresholds, levels, count,
              [=](const auto& table) { score_with(table, x, dim, scale, xy, yy); });
}

// Lanes l and l + 8 of sum p are sums[0][p] and sums[1][p].
void row_times_16(const float* row, const float* x, std::size_t n, float* out) noexcept {
  __m256 sums[2][4] = {};
  const auto add = [=, &sums](std::size_t j, std::size_t p) {
    const __m256 factor = _mm256_set1_ps(row[j]);
    for (std::size_t half = 0; half < 2; ++half) {
      const __m256 term = _mm256_mul_ps(factor, _mm256_loadu_ps(x + 16 * j + kWidth * half));
      sums[half][p] = _mm256_add_ps(sums[half][p], term);
    }
  };
  std::size_t j = 0;
  for (; j + 4 <= n; j += 4) {
    for (std::size_t p = 0; p < 4; ++p) add(j + p, p);
  }
  for (std::size_t p = 0; j < n; ++p, ++j) add(j, p);
  for (std::size_t half = 0; half < 2; ++half) {
    const __m256(&s)[4] = sums[half];
    _mm256_storeu_ps(out + kWidth * half,
                     _mm256_add_ps(_mm256_add_ps(s[0], s[1]), _mm256_add_ps(s[2], s[3])));
  }
}

void pack_signs(const float* x, const float* y, std::size_t dim, std::uint8_t* signs, float* sx,
                float* sy) noexcept {
  __m256 x_lanes[8] = {};
  __m256 y_lanes[8] = {};
  const auto add = [&](std::size_t v, __m256 values, __m256 others) {
    const __m256 below = _mm256_cmp_ps(values, _mm256_setzero_ps(), _CMP_NGE_UQ);
    const __m256 flip = _mm256_and_ps(below, _mm256_set1_ps(-0.0F));
    x_lanes[v] = _mm256_add_ps(x_lanes[v], _mm256_xor_ps(values, flip));
    y_lanes[v] = _mm256_add_ps(y_lanes[v], _mm256_xor_ps(others, flip));
    return ~_mm256_movemask_ps(below);
  };
  std::size_t i = 0;
  for (; i + kLanes <= dim; i += kLanes) {
    for (std::size_t v = 0; v < 8; ++v) {
      const std::size_t at = i + kWidth * v;
      signs[at / 8] =
          static_cast<std::uint8_t>(add(v, _mm256_loadu_ps(x + at), _mm256_loadu_ps(y + at)));
    }
  }
  for (std::size_t v = 0; i < dim; ++v, i += kWidth) {
    const __m256i mask = first_lanes(dim - i);
    const int bits = add(v, _mm256_maskload_ps(x + i, mask), _mm256_maskload_ps(y + i, mask));
    signs[i / 8] = static_cast<std::uint8_t>(bits & _mm256_movemask_ps(_mm256_castsi256_ps(mask)));
  }
  *sx = fold(x_lanes);
  *sy = fold(y_lanes);
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
  kernels.row_times_16 = row_times_16;
  kernels.pack_signs = pack_signs;
  kernels.quantize_bytes = quantize_bytes;
  kernels.viterbi = vector_viterbi<8>;
}

}  // namespace obliq

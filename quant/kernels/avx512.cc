// The AVX-512 level (F, BW, VL, DQ), part 1 of 4: float products and the Hadamard butterflies.
// The other parts are avx512_scan.cc, avx512_rows.cc and avx512_levels.cc.
#include <immintrin.h>

#include "quant/kernels/avx512_lanes.h"
#include "quant/kernels/kernels.h"

namespace obliq {
namespace {

float dot(const float* x, const float* y, std::size_t dim) noexcept {
  __m512 lanes[4] = {};
  std::size_t i = 0;
  for (; i + kLanes <= dim; i += kLanes) {
    for (std::size_t v = 0; v < 4; ++v) {
      const std::size_t at = i + kWidth * v;
      lanes[v] =
          _mm512_add_ps(lanes[v], _mm512_mul_ps(_mm512_loadu_ps(x + at), _mm512_loadu_ps(y + at)));
    }
  }
  for (std::size_t v = 0; i < dim; ++v, i += kWidth) {
    const __mmask16 mask = first_lanes(dim - i);
    lanes[v] = _mm512_add_ps(lanes[v], _mm512_mul_ps(_mm512_maskz_loadu_ps(mask, x + i),
                                                     _mm512_maskz_loadu_ps(mask, y + i)));
  }
  return fold(lanes);
}

float l2_sqr(const float* x, const float* y, std::size_t dim) noexcept {
  __m512 lanes[4] = {};
  std::size_t i = 0;
  for (; i + kLanes <= dim; i += kLanes) {
    for (std::size_t v = 0; v < 4; ++v) {
      const std::size_t at = i + kWidth * v;
      const __m512 difference = _mm512_sub_ps(_mm512_loadu_ps(x + at), _mm512_loadu_ps(y + at));
      lanes[v] = _mm512_add_ps(lanes[v], _mm512_mul_ps(difference, difference));
    }
  }
  for (std::size_t v = 0; i < dim; ++v, i += kWidth) {
    const __mmask16 mask = first_lanes(dim - i);
    const __m512 difference =
        _mm512_sub_ps(_mm512_maskz_loadu_ps(mask, x + i), _mm512_maskz_loadu_ps(mask, y + i));
    lanes[v] = _mm512_add_ps(lanes[v], _mm512_mul_ps(difference, difference));
  }
  return fold(lanes);
}

// Sums of the four registers, in this order of lanes for each: inside every 128 bits
// (0 + 2) + (1 + 3), then 128-bit parts (0 + 2) + (1 + 3).
__m128 fold_rows(const __m512 (&sums)[4]) noexcept {
  const __m512 ab =
      _mm512_add_ps(_mm512_unpacklo_ps(sums[0], sums[1]), _mm512_unpackhi_ps(sums[0], sums[1]));
  const __m512 cd =
      _mm512_add_ps(_mm512_unpacklo_ps(sums[2], sums[3]), _mm512_unpackhi_ps(sums[2], sums[3]));
  const __m512d ab_wide = _mm512_castps_pd(ab);
  const __m512d cd_wide = _mm512_castps_pd(cd);
  const __m512 parts = _mm512_add_ps(_mm512_castpd_ps(_mm512_unpacklo_pd(ab_wide, cd_wide)),
                                     _mm512_castpd_ps(_mm512_unpackhi_pd(ab_wide, cd_wide)));
  const __m256 pair =
      _mm256_add_ps(_mm512_castps512_ps256(parts), _mm512_extractf32x8_ps(parts, 1));
  return _mm_add_ps(_mm256_castps256_ps128(pair), _mm256_extractf128_ps(pair, 1));
}

// Rows x[0..rows) times four rows of y: each pair has one register, filled in rising steps of 16
// dims. Rows of y beyond `columns` repeat the last one and are not written.
template <std::size_t rows>
void dots_tile(const float* x, const float* const (&y)[4], std::size_t dim, std::size_t columns,
               float* out, std::size_t out_stride) noexcept {
  __m512 sums[rows][4] = {};
  const auto step = [&](auto load, std::size_t at) {
    __m512 b[4];
    for (std::size_t j = 0; j < 4; ++j) b[j] = load(y[j] + at);
    for (std::size_t r = 0; r < rows; ++r) {
      const __m512 a = load(x + r * dim + at);
      for (std::size_t j = 0; j < 4; ++j) sums[r][j] = _mm512_fmadd_ps(a, b[j], sums[r][j]);
    }
  };
  std::size_t i = 0;
  for (; i + kWidth <= dim; i += kWidth) {
    step([](const float* p) { return _mm512_loadu_ps(p); }, i);
  }
  if (i < dim) {
    const __mmask16 mask = first_lanes(dim - i);
    step([mask](const float* p) { return _mm512_maskz_loadu_ps(mask, p); }, i);
  }
  const __mmask8 written = static_cast<__mmask8>((1U << columns) - 1U);
  for (std::size_t r = 0; r < rows; ++r) {
    _mm_mask_storeu_ps(out + r * out_stride, written, fold_rows(sums[r]));
  }
}

// Four rows of y stay in the first cache while all of x passes by.
void dots(const float* x, std::size_t nx, const float* y, std::size_t ny, std::size_t dim,
          float* out) noexcept {
  constexpr std::size_t kPanelFloats = 6144;  // 24 KiB of y
  std::size_t panel = 4 * (kPanelFloats / (4 * (dim + 1)));
  if (panel == 0) panel = 4;
  for (std::size_t first = 0; first < ny; first += panel) {
    const std::size_t last = first + panel < ny ? first + panel : ny;
    for (std::size_t i = 0; i < nx;) {
      const bool wide = i + 4 <= nx;
      for (std::size_t j = first; j < last; j += 4) {
        const std::size_t columns = last - j < 4 ? last - j : 4;
        const float* rows[4];
        for (std::size_t c = 0; c < 4; ++c) rows[c] = y + (j + (c < columns ? c : 0)) * dim;
        float* tile = out + i * ny + j;
        if (wide) {
          dots_tile<4>(x + i * dim, rows, dim, columns, tile, ny);
        } else {
          dots_tile<1>(x + i * dim, rows, dim, columns, tile, ny);
        }
      }
      i += wide ? 4 : 1;
    }
  }
}

// One stage inside a register: `partner` holds the other element of each pair, `sign` is -1 in the
// upper one. A product with +-1 is exact, so that this is the addition (or subtraction) alone.
__m512 butterfly(__m512 own, __m512 partner, __m512 sign) noexcept {
  return _mm512_fmadd_ps(own, sign, partner);
}

// +1 in lanes whose number has the bit `h` clear, else -1.
__m512 signs_of(int h) noexcept {
  const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __mmask16 upper = _mm512_test_epi32_mask(lane, _mm512_set1_epi32(h));
  return _mm512_mask_blend_ps(upper, _mm512_set1_ps(1.0F), _mm512_set1_ps(-1.0F));
}

// All stages below 16 * registers, in registers.
template <std::size_t registers>
void hadamard_block(float* x) noexcept {
  const __m512 sign1 = signs_of(1);
  const __m512 sign2 = signs_of(2);
  const __m512 sign4 = signs_of(4);
  const __m512 sign8 = signs_of(8);
  __m512 v[registers];
#pragma GCC unroll 16
  for (std::size_t r = 0; r < registers; ++r) {
    __m512 a = _mm512_loadu_ps(x + kWidth * r);
    a = butterfly(a, _mm512_permute_ps(a, 0xB1), sign1);
    a = butterfly(a, _mm512_permute_ps(a, 0x4E), sign2);
    a = butterfly(a, _mm512_shuffle_f32x4(a, a, 0xB1), sign4);
    v[r] = butterfly(a, _mm512_shuffle_f32x4(a, a, 0x4E), sign8);
  }
#pragma GCC unroll 4
  for (std::size_t h = 1; h < registers; h *= 2) {
#pragma GCC unroll 16
    for (std::size_t r = 0; r < registers; ++r) {
      if ((r & h) != 0) continue;
      const __m512 a = v[r];
      const __m512 b = v[r + h];
      v[r] = _mm512_add_ps(a, b);
      v[r + h] = _mm512_sub_ps(a, b);
    }
  }
#pragma GCC unroll 16
  for (std::size_t r = 0; r < registers; ++r) _mm512_storeu_ps(x + kWidth * r, v[r]);
}

void hadamard_short(float* x, std::size_t n) noexcept {
  const __mmask16 mask = first_lanes(n);
  __m512 a = _mm512_maskz_loadu_ps(mask, x);
  if (n > 1) a = butterfly(a, _mm512_permute_ps(a, 0xB1), signs_of(1));
  if (n > 2) a = butterfly(a, _mm512_permute_ps(a, 0x4E), signs_of(2));
  if (n > 4) a = butterfly(a, _mm512_shuffle_f32x4(a, a, 0xB1), signs_of(4));
  _mm512_mask_storeu_ps(x, mask, a);
}

// The stages h and 2h (h >= 16) in one pass over memory.
void hadamard_two_stages(float* x, std::size_t n, std::size_t h) noexcept {
  for (std::size_t i = 0; i < n; i += 4 * h) {
    for (float* p = x + i; p < x + i + h; p += kWidth) {
      const __m512 a = _mm512_loadu_ps(p);
      const __m512 b = _mm512_loadu_ps(p + h);
      const __m512 c = _mm512_loadu_ps(p + 2 * h);
      const __m512 d = _mm512_loadu_ps(p + 3 * h);
      const __m512 ab = _mm512_add_ps(a, b);
      const __m512 cd = _mm512_add_ps(c, d);
      const __m512 ab_minus = _mm512_sub_ps(a, b);
      const __m512 cd_minus = _mm512_sub_ps(c, d);
      _mm512_storeu_ps(p, _mm512_add_ps(ab, cd));
      _mm512_storeu_ps(p + h, _mm512_add_ps(ab_minus, cd_minus));
      _mm512_storeu_ps(p + 2 * h, _mm512_sub_ps(ab, cd));
      _mm512_storeu_ps(p + 3 * h, _mm512_sub_ps(ab_minus, cd_minus));
    }
  }
}

void hadamard_one_stage(float* x, std::size_t n, std::size_t h) noexcept {
  for (std::size_t i = 0; i < n; i += 2 * h) {
    for (float* p = x + i; p < x + i + h; p += kWidth) {
      const __m512 a = _mm512_loadu_ps(p);
      const __m512 b = _mm512_loadu_ps(p + h);
      _mm512_storeu_ps(p, _mm512_add_ps(a, b));
      _mm512_storeu_ps(p + h, _mm512_sub_ps(a, b));
    }
  }
}

void hadamard(float* x, std::size_t n) noexcept {
  constexpr std::size_t kBlock = 256;  // sixteen registers
  switch (n) {
    case 16:
      return hadamard_block<1>(x);
    case 32:
      return hadamard_block<2>(x);
    case 64:
      return hadamard_block<4>(x);
    case 128:
      return hadamard_block<8>(x);
    default:
      break;
  }
  if (n < 16) return hadamard_short(x, n);
  for (std::size_t i = 0; i < n; i += kBlock) hadamard_block<16>(x + i);
  std::size_t h = kBlock;
  for (; 2 * h < n; h *= 4) hadamard_two_stages(x, n, h);
  if (h < n) hadamard_one_stage(x, n, h);
}

}  // namespace

void install_avx512(Kernels& kernels) noexcept {
  kernels.hadamard = hadamard;
  kernels.dot = dot;
  kernels.l2_sqr = l2_sqr;
  kernels.dots = dots;
  install_avx512_scan(kernels);
  install_avx512_rows(kernels);
  install_avx512_levels(kernels);
}

}  // namespace obliq

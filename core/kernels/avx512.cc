// AVX-512 (F, BW, VL, DQ): float products and the Hadamard butterflies. The other kernels are in
// avx512_scan.cc, avx512_rows.cc and avx512_levels.cc.
#include <immintrin.h>

#include "core/kernels/avx512_lanes.h"
#include "core/kernels/kernels.h"

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

// Adds to out[r][j] the products of dims [0, count) of rows x_r and y_j. Each pair has one
// register, filled in rising steps of 16 dims. Columns beyond `columns` repeat the first and are
// not written.
template <std::size_t rows>
void dots_tile(const float* x, const float* y, std::size_t stride, std::size_t count,
               std::size_t columns, float* out, std::size_t out_stride) noexcept {
  const float* const y_rows[4] = {y, y + (columns > 1 ? stride : 0),
                                  y + (columns > 2 ? 2 * stride : 0),
                                  y + (columns > 3 ? 3 * stride : 0)};
  __m512 sums[rows][4];
#pragma GCC unroll 6
  for (std::size_t r = 0; r < rows; ++r) {
#pragma GCC unroll 4
    for (std::size_t j = 0; j < 4; ++j) sums[r][j] = _mm512_setzero_ps();
  }
  const auto step = [&](std::size_t i, auto load) {
    __m512 b[4];
#pragma GCC unroll 4
    for (std::size_t j = 0; j < 4; ++j) b[j] = load(y_rows[j] + i);
#pragma GCC unroll 6
    for (std::size_t r = 0; r < rows; ++r) {
      const __m512 a = load(x + r * stride + i);
#pragma GCC unroll 4
      for (std::size_t j = 0; j < 4; ++j) sums[r][j] = _mm512_fmadd_ps(a, b[j], sums[r][j]);
    }
  };
  std::size_t i = 0;
  for (; i + kWidth <= count; i += kWidth) {
    step(i, [](const float* p) { return _mm512_loadu_ps(p); });
  }
  if (i < count) {
    const __mmask16 mask = first_lanes(count - i);
    step(i, [mask](const float* p) { return _mm512_maskz_loadu_ps(mask, p); });
  }
  const __mmask8 written = static_cast<__mmask8>((1U << columns) - 1U);
#pragma GCC unroll 6
  for (std::size_t r = 0; r < rows; ++r) {
    float* pairs = out + r * out_stride;
    const __m128 before = _mm_maskz_loadu_ps(written, pairs);
    _mm_mask_storeu_ps(pairs, written, _mm_add_ps(before, fold_rows(sums[r])));
  }
}

template <std::size_t rows>
void dots_rows(const float* x, const float* y, std::size_t ny, std::size_t stride,
               std::size_t count, float* out, std::size_t out_stride) noexcept {
  for (std::size_t j = 0; j < ny; j += 4) {
    dots_tile<rows>(x, y + j * stride, stride, count, ny - j < 4 ? ny - j : 4, out + j, out_stride);
  }
}

// Pieces of dims and panels of y are such that a panel and six rows of x fit the first cache: the
// panel stays there while all of x passes by.
void dots(const float* x, std::size_t nx, const float* y, std::size_t ny, std::size_t dim,
          float* out) noexcept {
  constexpr std::size_t kPiece = 512;
  constexpr std::size_t kPanel = 12;
  for (std::size_t i = 0; i < nx * ny; ++i) out[i] = 0;
  for (std::size_t from = 0; from < dim; from += kPiece) {
    const std::size_t count = dim - from < kPiece ? dim - from : kPiece;
    for (std::size_t j = 0; j < ny; j += kPanel) {
      const std::size_t columns = ny - j < kPanel ? ny - j : kPanel;
      const float* panel = y + j * dim + from;
      const float* row = x + from;
      float* pairs = out + j;
      std::size_t left = nx;
      for (; left >= 6; left -= 6, row += 6 * dim, pairs += 6 * ny) {
        dots_rows<6>(row, panel, columns, dim, count, pairs, ny);
      }
      for (; left >= 2; left -= 2, row += 2 * dim, pairs += 2 * ny) {
        dots_rows<2>(row, panel, columns, dim, count, pairs, ny);
      }
      if (left == 1) dots_rows<1>(row, panel, columns, dim, count, pairs, ny);
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

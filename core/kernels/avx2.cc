// AVX2 (with FMA and F16C): float products and the Hadamard butterflies. The other kernels are in
// avx2_scan.cc, avx2_rows.cc, avx2_levels.cc, avx2_panels.cc and avx2_e8.cc.
#include <immintrin.h>

#include "core/kernels/avx2_lanes.h"
#include "core/kernels/kernels.h"

namespace obliq {
namespace {

// Adds term(i, load) to the lanes for all i; load(p) gives eight floats at p, +0 beyond dim.
template <class Term>
float fixed_sum(std::size_t dim, Term term) noexcept {
  __m256 lanes[8];
#pragma GCC unroll 8
  for (__m256& lane : lanes) lane = _mm256_setzero_ps();
  std::size_t i = 0;
  for (; i + kLanes <= dim; i += kLanes) {
#pragma GCC unroll 8
    for (std::size_t v = 0; v < 8; ++v) {
      lanes[v] = _mm256_add_ps(
          lanes[v], term(i + kWidth * v, [](const float* p) { return _mm256_loadu_ps(p); }));
    }
  }
  for (std::size_t v = 0; i < dim; ++v, i += kWidth) {
    const __m256i mask = first_lanes(dim - i);
    lanes[v] = _mm256_add_ps(
        lanes[v], term(i, [mask](const float* p) { return _mm256_maskload_ps(p, mask); }));
  }
  return fold(lanes);
}

float dot(const float* x, const float* y, std::size_t dim) noexcept {
  return fixed_sum(
      dim, [x, y](std::size_t i, auto load) { return _mm256_mul_ps(load(x + i), load(y + i)); });
}

float l2_sqr(const float* x, const float* y, std::size_t dim) noexcept {
  return fixed_sum(dim, [x, y](std::size_t i, auto load) {
    const __m256 difference = _mm256_sub_ps(load(x + i), load(y + i));
    return _mm256_mul_ps(difference, difference);
  });
}

// Sums of the four registers, in this order of lanes for each: inside every 128 bits
// (0 + 1) + (2 + 3), then the two halves.
__m128 fold_rows(const __m256 (&sums)[4]) noexcept {
  const __m256 pairs = _mm256_hadd_ps(_mm256_hadd_ps(sums[0], sums[1]),  //
                                      _mm256_hadd_ps(sums[2], sums[3]));
  return _mm_add_ps(_mm256_castps256_ps128(pairs), _mm256_extractf128_ps(pairs, 1));
}

// Adds to out[r][j] the products of dims [0, count) of rows x_r and y_j. Each pair has one
// register, filled in rising steps of 8 dims. Columns beyond `columns` repeat the first and are not
// written.
template <std::size_t rows>
void dots_tile(const float* x, const float* y, std::size_t stride, std::size_t count,
               std::size_t columns, float* out, std::size_t out_stride) noexcept {
  const float* const y_rows[4] = {y, y + (columns > 1 ? stride : 0),
                                  y + (columns > 2 ? 2 * stride : 0),
                                  y + (columns > 3 ? 3 * stride : 0)};
  __m256 sums[rows][4];
#pragma GCC unroll 3
  for (std::size_t r = 0; r < rows; ++r) {
#pragma GCC unroll 4
    for (std::size_t j = 0; j < 4; ++j) sums[r][j] = _mm256_setzero_ps();
  }
  const auto step = [&](std::size_t i, auto load) {
    __m256 a[rows];
#pragma GCC unroll 3
    for (std::size_t r = 0; r < rows; ++r) a[r] = load(x + r * stride + i);
#pragma GCC unroll 4
    for (std::size_t j = 0; j < 4; ++j) {
      const __m256 b = load(y_rows[j] + i);
#pragma GCC unroll 3
      for (std::size_t r = 0; r < rows; ++r) sums[r][j] = _mm256_fmadd_ps(a[r], b, sums[r][j]);
    }
  };
  std::size_t i = 0;
  for (; i + kWidth <= count; i += kWidth) {
    step(i, [](const float* p) { return _mm256_loadu_ps(p); });
  }
  if (i < count) {
    const __m256i mask = first_lanes(count - i);
    step(i, [mask](const float* p) { return _mm256_maskload_ps(p, mask); });
  }
  const __m128i written = _mm256_castsi256_si128(first_lanes(columns));
#pragma GCC unroll 3
  for (std::size_t r = 0; r < rows; ++r) {
    float* pairs = out + r * out_stride;
    const __m128 before = _mm_maskload_ps(pairs, written);
    _mm_maskstore_ps(pairs, written, _mm_add_ps(before, fold_rows(sums[r])));
  }
}

template <std::size_t rows>
void dots_rows(const float* x, const float* y, std::size_t ny, std::size_t stride,
               std::size_t count, float* out, std::size_t out_stride) noexcept {
  for (std::size_t j = 0; j < ny; j += 4) {
    dots_tile<rows>(x, y + j * stride, stride, count, ny - j < 4 ? ny - j : 4, out + j, out_stride);
  }
}

// Pieces of dims and panels of y are such that a panel and three rows of x fit the first cache: the
// panel stays there while all of x passes by.
void dots(const float* x, std::size_t nx, const float* y, std::size_t ny, std::size_t dim,
          float* out) noexcept {
  constexpr std::size_t kPiece = 512;
  constexpr std::size_t kPanel = 8;
  for (std::size_t i = 0; i < nx * ny; ++i) out[i] = 0;
  for (std::size_t from = 0; from < dim; from += kPiece) {
    const std::size_t count = dim - from < kPiece ? dim - from : kPiece;
    for (std::size_t j = 0; j < ny; j += kPanel) {
      const std::size_t columns = ny - j < kPanel ? ny - j : kPanel;
      const float* panel = y + j * dim + from;
      std::size_t i = 0;
      for (; i + 3 <= nx; i += 3) {
        dots_rows<3>(x + i * dim + from, panel, columns, dim, count, out + i * ny + j, ny);
      }
      for (; i < nx; ++i) {
        dots_rows<1>(x + i * dim + from, panel, columns, dim, count, out + i * ny + j, ny);
      }
    }
  }
}

// One stage inside a register: `partner` holds the other element of each pair, `sign` is -1 in the
// upper one. A product with +-1 is exact, so that this is the addition (or subtraction) alone.
__m256 butterfly(__m256 own, __m256 partner, __m256 sign) noexcept {
  return _mm256_fmadd_ps(own, sign, partner);
}

__m256 sign1() noexcept { return _mm256_setr_ps(1, -1, 1, -1, 1, -1, 1, -1); }
__m256 sign2() noexcept { return _mm256_setr_ps(1, 1, -1, -1, 1, 1, -1, -1); }
__m256 sign4() noexcept { return _mm256_setr_ps(1, 1, 1, 1, -1, -1, -1, -1); }

// All stages below 8 * registers, in registers.
template <std::size_t registers>
void hadamard_block(float* x) noexcept {
  __m256 v[registers];
#pragma GCC unroll 8
  for (std::size_t r = 0; r < registers; ++r) {
    __m256 a = _mm256_loadu_ps(x + kWidth * r);
    a = butterfly(a, _mm256_permute_ps(a, 0xB1), sign1());
    a = butterfly(a, _mm256_permute_ps(a, 0x4E), sign2());
    v[r] = butterfly(a, _mm256_permute2f128_ps(a, a, 1), sign4());
  }
#pragma GCC unroll 3
  for (std::size_t h = 1; h < registers; h *= 2) {
#pragma GCC unroll 8
    for (std::size_t r = 0; r < registers; ++r) {
      if ((r & h) != 0) continue;
      const __m256 a = v[r];
      const __m256 b = v[r + h];
      v[r] = _mm256_add_ps(a, b);
      v[r + h] = _mm256_sub_ps(a, b);
    }
  }
#pragma GCC unroll 8
  for (std::size_t r = 0; r < registers; ++r) _mm256_storeu_ps(x + kWidth * r, v[r]);
}

void hadamard_short(float* x, std::size_t n) noexcept {
  const __m256i mask = first_lanes(n);
  __m256 a = _mm256_maskload_ps(x, mask);
  if (n > 1) a = butterfly(a, _mm256_permute_ps(a, 0xB1), sign1());
  if (n > 2) a = butterfly(a, _mm256_permute_ps(a, 0x4E), sign2());
  _mm256_maskstore_ps(x, mask, a);
}

// The stages h and 2h (h >= 8) in one pass over memory.
void hadamard_two_stages(float* x, std::size_t n, std::size_t h) noexcept {
  for (std::size_t i = 0; i < n; i += 4 * h) {
    for (float* p = x + i; p < x + i + h; p += kWidth) {
      const __m256 a = _mm256_loadu_ps(p);
      const __m256 b = _mm256_loadu_ps(p + h);
      const __m256 c = _mm256_loadu_ps(p + 2 * h);
      const __m256 d = _mm256_loadu_ps(p + 3 * h);
      const __m256 ab = _mm256_add_ps(a, b);
      const __m256 cd = _mm256_add_ps(c, d);
      const __m256 ab_minus = _mm256_sub_ps(a, b);
      const __m256 cd_minus = _mm256_sub_ps(c, d);
      _mm256_storeu_ps(p, _mm256_add_ps(ab, cd));
      _mm256_storeu_ps(p + h, _mm256_add_ps(ab_minus, cd_minus));
      _mm256_storeu_ps(p + 2 * h, _mm256_sub_ps(ab, cd));
      _mm256_storeu_ps(p + 3 * h, _mm256_sub_ps(ab_minus, cd_minus));
    }
  }
}

void hadamard_one_stage(float* x, std::size_t n, std::size_t h) noexcept {
  for (std::size_t i = 0; i < n; i += 2 * h) {
    for (float* p = x + i; p < x + i + h; p += kWidth) {
      const __m256 a = _mm256_loadu_ps(p);
      const __m256 b = _mm256_loadu_ps(p + h);
      _mm256_storeu_ps(p, _mm256_add_ps(a, b));
      _mm256_storeu_ps(p + h, _mm256_sub_ps(a, b));
    }
  }
}

void hadamard(float* x, std::size_t n) noexcept {
  constexpr std::size_t kBlock = 64;  // eight registers
  switch (n) {
    case 8:
      return hadamard_block<1>(x);
    case 16:
      return hadamard_block<2>(x);
    case 32:
      return hadamard_block<4>(x);
    default:
      break;
  }
  if (n < 8) return hadamard_short(x, n);
  for (std::size_t i = 0; i < n; i += kBlock) hadamard_block<8>(x + i);
  std::size_t h = kBlock;
  for (; 2 * h < n; h *= 4) hadamard_two_stages(x, n, h);
  if (h < n) hadamard_one_stage(x, n, h);
}

}  // namespace

void install_avx2(Kernels& kernels) noexcept {
  kernels.hadamard = hadamard;
  kernels.dot = dot;
  kernels.l2_sqr = l2_sqr;
  kernels.dots = dots;
  install_avx2_scan(kernels);
  install_avx2_rows(kernels);
  install_avx2_levels(kernels);
  install_avx2_e8(kernels);
  install_avx2_panels(kernels);
}

}  // namespace obliq

// Kernels on floats for AArch64 NEON (ARMv8.0, what every such CPU has); those on codes are in
// neon_codes.cc. The 64 lanes of a fixed-order sum are 16 registers of 4: register v holds lanes
// 4v..4v+3. Products and sums stay separate instructions except in `dots`. Ends of rows are copied
// into buffers filled up with zeros, whose terms add +0.
#include <arm_neon.h>

#include "core/kernels/kernels.h"
#include "core/kernels/vector_viterbi.h"

namespace obliq {
namespace {

constexpr std::size_t kRegisters = kLanes / 4;

// The first n <= 64 floats of x, then zeros.
struct Padded {
  float values[kLanes];
  Padded(const float* x, std::size_t n) noexcept {
    for (std::size_t i = 0; i < n; ++i) values[i] = x[i];
    for (std::size_t i = n; i < kLanes; ++i) values[i] = 0.0F;
  }
};

struct Lanes {
  float32x4_t of[kRegisters];
  Lanes() noexcept {
    for (auto& lanes : of) lanes = vdupq_n_f32(0.0F);
  }
  float fold() noexcept {
#pragma GCC unroll 4
    for (std::size_t half = kRegisters / 2; half > 0; half /= 2) {
#pragma GCC unroll 8
      for (std::size_t v = 0; v < half; ++v) of[v] = vaddq_f32(of[v], of[v + half]);
    }
    const float32x2_t pair = vadd_f32(vget_low_f32(of[0]), vget_high_f32(of[0]));
    return vget_lane_f32(pair, 0) + vget_lane_f32(pair, 1);
  }
};

inline void add_products(Lanes& sum, const float* x, const float* y) noexcept {
#pragma GCC unroll 16
  for (std::size_t v = 0; v < kRegisters; ++v) {
    sum.of[v] = vaddq_f32(sum.of[v], vmulq_f32(vld1q_f32(x + 4 * v), vld1q_f32(y + 4 * v)));
  }
}

float dot(const float* x, const float* y, std::size_t dim) noexcept {
  Lanes sum;
  std::size_t i = 0;
  for (; i + kLanes <= dim; i += kLanes) add_products(sum, x + i, y + i);
  if (i < dim) add_products(sum, Padded(x + i, dim - i).values, Padded(y + i, dim - i).values);
  return sum.fold();
}

inline void add_squares(Lanes& sum, const float* x, const float* y) noexcept {
#pragma GCC unroll 16
  for (std::size_t v = 0; v < kRegisters; ++v) {
    const float32x4_t difference = vsubq_f32(vld1q_f32(x + 4 * v), vld1q_f32(y + 4 * v));
    sum.of[v] = vaddq_f32(sum.of[v], vmulq_f32(difference, difference));
  }
}

float l2_sqr(const float* x, const float* y, std::size_t dim) noexcept {
  Lanes sum;
  std::size_t i = 0;
  for (; i + kLanes <= dim; i += kLanes) add_squares(sum, x + i, y + i);
  if (i < dim) add_squares(sum, Padded(x + i, dim - i).values, Padded(y + i, dim - i).values);
  return sum.fold();
}

void hadamard_small(float* x, std::size_t n) noexcept {
  for (std::size_t h = 1; h < n; h *= 2) {
    for (std::size_t i = 0; i < n; i += 2 * h) {
      for (std::size_t j = i; j < i + h; ++j) {
        const float a = x[j];
        const float b = x[j + h];
        x[j] = a + b;
        x[j + h] = a - b;
      }
    }
  }
}

// The steps h and 2h on four registers that lie h apart.
inline void two_steps(float32x4_t& a, float32x4_t& b, float32x4_t& c, float32x4_t& d) noexcept {
  const float32x4_t ab = vaddq_f32(a, b);
  const float32x4_t a_b = vsubq_f32(a, b);
  const float32x4_t cd = vaddq_f32(c, d);
  const float32x4_t c_d = vsubq_f32(c, d);
  a = vaddq_f32(ab, cd);
  b = vaddq_f32(a_b, c_d);
  c = vsubq_f32(ab, cd);
  d = vsubq_f32(a_b, c_d);
}

// h = 1 and 2: vld4q puts neighbours into different registers.
inline void first_steps(float* x, std::size_t n) noexcept {
  for (std::size_t i = 0; i < n; i += 16) {
    float32x4x4_t v = vld4q_f32(x + i);
    two_steps(v.val[0], v.val[1], v.val[2], v.val[3]);
    vst4q_f32(x + i, v);
  }
}

inline void middle_steps(float* x, std::size_t n, std::size_t h) noexcept {
  for (std::size_t i = 0; i < n; i += 4 * h) {
    for (std::size_t j = i; j < i + h; j += 4) {
      float32x4_t a = vld1q_f32(x + j);
      float32x4_t b = vld1q_f32(x + j + h);
      float32x4_t c = vld1q_f32(x + j + 2 * h);
      float32x4_t d = vld1q_f32(x + j + 3 * h);
      two_steps(a, b, c, d);
      vst1q_f32(x + j, a);
      vst1q_f32(x + j + h, b);
      vst1q_f32(x + j + 2 * h, c);
      vst1q_f32(x + j + 3 * h, d);
    }
  }
}

void hadamard(float* x, std::size_t n) noexcept {
  if (n < 16) return hadamard_small(x, n);
  first_steps(x, n);
  std::size_t h = 4;
  for (; 4 * h <= n; h *= 4) middle_steps(x, n, h);
  if (h == n) return;
  for (std::size_t j = 0; j < h; j += 4) {  // a single step is left
    const float32x4_t a = vld1q_f32(x + j);
    const float32x4_t b = vld1q_f32(x + j + h);
    vst1q_f32(x + j, vaddq_f32(a, b));
    vst1q_f32(x + j + h, vsubq_f32(a, b));
  }
}

inline float32x4_t load_first(const float* x, std::size_t n) noexcept {
  if (n >= 4) return vld1q_f32(x);
  float values[4] = {};
  for (std::size_t i = 0; i < n; ++i) values[i] = x[i];
  return vld1q_f32(values);
}

// kRows x kColumns pairs; each has one register of sums, so that its order is the same in every
// shape of tile.
template <std::size_t kRows, std::size_t kColumns>
inline void tile(const float* x, const float* y, std::size_t dim, std::size_t ny,
                 float* out) noexcept {
  float32x4_t sums[kRows][kColumns];
  for (auto& row : sums) {
    for (auto& sum : row) sum = vdupq_n_f32(0.0F);
  }
  const auto add = [&](std::size_t i, std::size_t n) __attribute__((always_inline)) {
    float32x4_t columns[kColumns];
    for (std::size_t c = 0; c < kColumns; ++c) columns[c] = load_first(y + c * dim + i, n);
    for (std::size_t r = 0; r < kRows; ++r) {
      const float32x4_t row = load_first(x + r * dim + i, n);
      for (std::size_t c = 0; c < kColumns; ++c) {
        sums[r][c] = vfmaq_f32(sums[r][c], row, columns[c]);
      }
    }
  };
  std::size_t i = 0;
  for (; i + 4 <= dim; i += 4) add(i, 4);
  if (i < dim) add(i, dim - i);
  for (std::size_t r = 0; r < kRows; ++r) {
    for (std::size_t c = 0; c < kColumns; ++c) out[r * ny + c] = vaddvq_f32(sums[r][c]);
  }
}

template <std::size_t kRows>
inline void tile_row(const float* x, const float* y, std::size_t ny, std::size_t dim,
                     float* out) noexcept {
  std::size_t j = 0;
  for (; j + 4 <= ny; j += 4) tile<kRows, 4>(x, y + j * dim, dim, ny, out + j);
  for (; j < ny; ++j) tile<kRows, 1>(x, y + j * dim, dim, ny, out + j);
}

void dots(const float* x, std::size_t nx, const float* y, std::size_t ny, std::size_t dim,
          float* out) noexcept {
  std::size_t i = 0;
  for (; i + 4 <= nx; i += 4) tile_row<4>(x + i * dim, y, ny, dim, out + i * ny);
  for (; i < nx; ++i) tile_row<1>(x + i * dim, y, ny, dim, out + i * ny);
}

// Up to this many thresholds comparing with each of them is the faster way.
constexpr std::size_t kFewThresholds = 31;

// Binary search: thresholds rise, so those below the value come first. A NaN is above none.
inline std::size_t level_of(float value, const float* thresholds, std::size_t count) noexcept {
  std::size_t below = 0;
  for (std::size_t step = 128; step > 0; step /= 2) {
    const bool inside = below + step <= count;
    if (inside && value > thresholds[below + step - 1]) below += step;
  }
  return below;
}

// Level numbers of 16 floats.
inline void number_levels(const float* x, float scale, const float* thresholds, std::size_t count,
                          std::uint8_t* index) noexcept {
  if (count > kFewThresholds) {
    for (std::size_t i = 0; i < 16; ++i) {
      index[i] = static_cast<std::uint8_t>(level_of(x[i] * scale, thresholds, count));
    }
    return;
  }
  float32x4_t value[4];
  uint32x4_t number[4];
  for (std::size_t v = 0; v < 4; ++v) {
    value[v] = vmulq_n_f32(vld1q_f32(x + 4 * v), scale);
    number[v] = vdupq_n_u32(0);
  }
  for (std::size_t t = 0; t < count; ++t) {
    const float32x4_t threshold = vdupq_n_f32(thresholds[t]);
    for (std::size_t v = 0; v < 4; ++v) {
      number[v] = vsubq_u32(number[v], vcgtq_f32(value[v], threshold));
    }
  }
  const uint16x8_t low = vcombine_u16(vmovn_u32(number[0]), vmovn_u32(number[1]));
  const uint16x8_t high = vcombine_u16(vmovn_u32(number[2]), vmovn_u32(number[3]));
  vst1q_u8(index, vcombine_u8(vmovn_u16(low), vmovn_u16(high)));
}

void nearest_level(const float* x, std::size_t dim, float scale, const float* thresholds,
                   std::size_t count, std::uint8_t* index) noexcept {
  std::size_t i = 0;
  for (; i + 16 <= dim; i += 16) number_levels(x + i, scale, thresholds, count, index + i);
  if (i == dim) return;
  std::uint8_t last[16];
  number_levels(Padded(x + i, dim - i).values, scale, thresholds, count, last);
  for (std::size_t j = 0; i + j < dim; ++j) index[i + j] = last[j];
}

// Levels of 16 floats. With few thresholds the last one exceeded selects, without a look-up.
inline void choose_levels(const float* x, float scale, const float* thresholds, const float* levels,
                          std::size_t count, float* y) noexcept {
  if (count > kFewThresholds) {
    for (std::size_t i = 0; i < 16; ++i) y[i] = levels[level_of(x[i] * scale, thresholds, count)];
    return;
  }
  float32x4_t value[4];
  float32x4_t level[4];
  for (std::size_t v = 0; v < 4; ++v) {
    value[v] = vmulq_n_f32(vld1q_f32(x + 4 * v), scale);
    level[v] = vdupq_n_f32(levels[0]);
  }
  for (std::size_t t = 0; t < count; ++t) {
    const float32x4_t threshold = vdupq_n_f32(thresholds[t]);
    const float32x4_t above = vdupq_n_f32(levels[t + 1]);
    for (std::size_t v = 0; v < 4; ++v) {
      level[v] = vbslq_f32(vcgtq_f32(value[v], threshold), above, level[v]);
    }
  }
  for (std::size_t v = 0; v < 4; ++v) vst1q_f32(y + 4 * v, level[v]);
}

void score_levels(const float* x, std::size_t dim, float scale, const float* thresholds,
                  const float* levels, std::size_t count, float* xy, float* yy) noexcept {
  Lanes xy_sum;
  Lanes yy_sum;
  for (std::size_t i = 0; i < dim; i += kLanes) {
    const std::size_t n = dim - i < kLanes ? dim - i : kLanes;
    const Padded values(x + i, n);
    float y[kLanes] = {};
    for (std::size_t j = 0; j < n; j += 16) {
      choose_levels(values.values + j, scale, thresholds, levels, count, y + j);
    }
    for (std::size_t j = n; j < kLanes; ++j) y[j] = 0.0F;
    add_products(xy_sum, values.values, y);
    add_products(yy_sum, y, y);
  }
  *xy = xy_sum.fold();
  *yy = yy_sum.fold();
}

inline void quantize_16(const float* x, float scale, std::int8_t* row) noexcept {
  int32x4_t value[4];
  for (std::size_t v = 0; v < 4; ++v) {
    const float32x4_t scaled = vmulq_n_f32(vld1q_f32(x + 4 * v), scale);
    const float32x4_t low = vmaxq_f32(scaled, vdupq_n_f32(-127.0F));
    value[v] = vcvtnq_s32_f32(vminq_f32(low, vdupq_n_f32(127.0F)));
  }
  const int16x8_t low = vcombine_s16(vmovn_s32(value[0]), vmovn_s32(value[1]));
  const int16x8_t high = vcombine_s16(vmovn_s32(value[2]), vmovn_s32(value[3]));
  vst1q_s8(row, vcombine_s8(vmovn_s16(low), vmovn_s16(high)));
}

// Lanes 4v .. 4v + 3 of sum p are sums[v][p].
void row_times_16(const float* row, const float* x, std::size_t n, float* out) noexcept {
  float32x4_t sums[4][4];
  for (auto& lanes : sums) {
    for (auto& sum : lanes) sum = vdupq_n_f32(0.0F);
  }
  const auto add = [=, &sums](std::size_t j, std::size_t p) {
    for (std::size_t v = 0; v < 4; ++v) {
      const float32x4_t term = vmulq_n_f32(vld1q_f32(x + 16 * j + 4 * v), row[j]);
      sums[v][p] = vaddq_f32(sums[v][p], term);
    }
  };
  std::size_t j = 0;
  for (; j + 4 <= n; j += 4) {
    for (std::size_t p = 0; p < 4; ++p) add(j + p, p);
  }
  for (std::size_t p = 0; j < n; ++p, ++j) add(j, p);
  for (std::size_t v = 0; v < 4; ++v) {
    const float32x4_t(&s)[4] = sums[v];
    vst1q_f32(out + 4 * v, vaddq_f32(vaddq_f32(s[0], s[1]), vaddq_f32(s[2], s[3])));
  }
}

void quantize_bytes(const float* x, std::size_t dim, float scale, std::int8_t* row) noexcept {
  std::size_t i = 0;
  for (; i + 16 <= dim; i += 16) quantize_16(x + i, scale, row + i);
  if (i == dim) return;
  std::int8_t last[16];
  quantize_16(Padded(x + i, dim - i).values, scale, last);
  for (std::size_t j = 0; i + j < dim; ++j) row[i + j] = last[j];
}

}  // namespace

void install_neon(Kernels& kernels) noexcept {
  kernels.hadamard = hadamard;
  kernels.dot = dot;
  kernels.l2_sqr = l2_sqr;
  kernels.dots = dots;
  kernels.nearest_level = nearest_level;
  kernels.score_levels = score_levels;
  kernels.row_times_16 = row_times_16;
  kernels.quantize_bytes = quantize_bytes;
  kernels.viterbi = vector_viterbi<4>;
  install_neon_codes(kernels);
}

}  // namespace obliq

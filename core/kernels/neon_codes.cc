// Kernels on codes for AArch64 NEON (ARMv8.0): the scan of sign blocks with its LUT, and products
// of rows with an integer query. A LUT of 16 bytes is one register and vqtbl1q_u8 looks up 16
// entries at once; levels of up to 6 bits are looked up the same way, low and high bytes apart.
#include <arm_neon.h>

#include "core/kernels/kernels.h"
#include "core/kernels/vector_scan.h"

namespace obliq {
namespace {

inline float32x4_t negate_where(float value, uint32x4_t signs) noexcept {
  return vreinterpretq_f32_u32(veorq_u32(vreinterpretq_u32_f32(vdupq_n_f32(value)), signs));
}

// s_i + s_j for the four settings of two bits of m, the first bit varying fastest.
inline float32x4_t signed_sums(float first, float second) noexcept {
  constexpr std::uint32_t kMinus = 0x80000000U;
  const uint32x4_t first_signs = {kMinus, 0, kMinus, 0};
  const uint32x4_t second_signs = {kMinus, kMinus, 0, 0};
  return vaddq_f32(negate_where(first, first_signs), negate_where(second, second_signs));
}

void build_lut(const float* query, std::size_t dim, float inv_step, float offset, int max_value,
               std::uint8_t* lut) noexcept {
  const float32x4_t highest = vdupq_n_f32(static_cast<float>(max_value));
  for (std::size_t i = 0; i < dim; i += 4) {
    float q[4] = {};
    for (std::size_t j = 0; j < 4 && i + j < dim; ++j) q[j] = query[i + j];
    const float32x4_t low = signed_sums(q[0], q[1]);
    float high[4];
    vst1q_f32(high, signed_sums(q[2], q[3]));
    uint16x4_t entry[4];
    for (std::size_t v = 0; v < 4; ++v) {
      const float32x4_t sum = vaddq_f32(low, vdupq_n_f32(high[v]));
      const float32x4_t value = vaddq_f32(vmulq_n_f32(sum, inv_step), vdupq_n_f32(offset));
      const float32x4_t inside = vminq_f32(vmaxq_f32(value, vdupq_n_f32(0.0F)), highest);
      entry[v] = vmovn_u32(vcvtnq_u32_f32(inside));
    }
    vst1q_u8(lut + 4 * i, vcombine_u8(vmovn_u16(vcombine_u16(entry[0], entry[1])),
                                      vmovn_u16(vcombine_u16(entry[2], entry[3]))));
  }
}

// LUT sums of a block; register v holds entries 8v..8v+7.
struct BlockSums {
  uint16x8_t of[4];
};

inline void add_group(const std::uint8_t* lut, const std::uint8_t* nibbles, uint8x16_t& low,
                      uint8x16_t& high) noexcept {
  const uint8x16_t table = vld1q_u8(lut);
  const uint8x16_t both = vld1q_u8(nibbles);
  low = vaddq_u8(low, vqtbl1q_u8(table, vandq_u8(both, vdupq_n_u8(15))));
  high = vaddq_u8(high, vqtbl1q_u8(table, vshrq_n_u8(both, 4)));
}

// Eight LUT values of at most 31 fit in a byte; then the sums go to 16 bits.
inline BlockSums sum_block(const std::uint8_t* lut, std::size_t groups,
                           const std::uint8_t* block) noexcept {
  BlockSums sums = {{vdupq_n_u16(0), vdupq_n_u16(0), vdupq_n_u16(0), vdupq_n_u16(0)}};
  const auto add = [&](std::size_t first, std::size_t n) __attribute__((always_inline)) {
    uint8x16_t low = vdupq_n_u8(0);
    uint8x16_t high = vdupq_n_u8(0);
#pragma GCC unroll 8
    for (std::size_t g = first; g < first + n; ++g) {
      add_group(lut + 16 * g, block + 16 * g, low, high);
    }
    sums.of[0] = vaddw_u8(sums.of[0], vget_low_u8(low));
    sums.of[1] = vaddw_high_u8(sums.of[1], low);
    sums.of[2] = vaddw_u8(sums.of[2], vget_low_u8(high));
    sums.of[3] = vaddw_high_u8(sums.of[3], high);
  };
  std::size_t g = 0;
  for (; g + 8 <= groups; g += 8) add(g, 8);
  if (g < groups) add(g, groups - g);
  return sums;
}

inline float32x4_t load_halves(const std::uint8_t* halves) noexcept {
  return vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(halves)));
}

inline float32x4_t bounds_of(uint16x4_t sum, const std::uint8_t* a, const ScanList& list) noexcept {
  const float32x4_t scaled = vmulq_n_f32(vcvtq_f32_u32(vmovl_u16(sum)), list.lut_step);
  const float32x4_t ip = vaddq_f32(scaled, vdupq_n_f32(list.lut_shift));
  const float32x4_t start =
      vaddq_f32(vdupq_n_f32(list.base), vmulq_n_f32(load_halves(a), list.add_scale));
  const float32x4_t slope = vmulq_n_f32(load_halves(a + 2 * kBlockEntries), list.rescale_scale);
  return vsubq_f32(start, vmulq_f32(slope, ip));
}

// Bit e is the top bit of byte e of the pair; each byte is 0 or 255.
inline std::uint32_t bits_of(uint8x16_t first, uint8x16_t second) noexcept {
  const uint8x16_t weights = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
  const uint8x16_t pairs = vpaddq_u8(vandq_u8(first, weights), vandq_u8(second, weights));
  const uint8x16_t fours = vpaddq_u8(pairs, pairs);
  return vgetq_lane_u32(vreinterpretq_u32_u8(vpaddq_u8(fours, fours)), 0);
}

// Writes the bounds of 32 entries and returns one bit per entry, 1 below the threshold.
inline std::uint32_t bound_block(const BlockSums& sums, const std::uint8_t* factors,
                                 const ScanList& list, float threshold, float* bounds) noexcept {
  const float32x4_t limit = vdupq_n_f32(threshold);
  uint8x8_t below[4];
#pragma GCC unroll 4
  for (std::size_t v = 0; v < 4; ++v) {
    const float32x4_t low = bounds_of(vget_low_u16(sums.of[v]), factors + 16 * v, list);
    const float32x4_t high = bounds_of(vget_high_u16(sums.of[v]), factors + 16 * v + 8, list);
    vst1q_f32(bounds + 8 * v, low);
    vst1q_f32(bounds + 8 * v + 4, high);
    below[v] = vmovn_u16(vcombine_u16(vmovn_u32(vcltq_f32(low, limit)),  //
                                      vmovn_u32(vcltq_f32(high, limit))));
  }
  return bits_of(vcombine_u8(below[0], below[1]), vcombine_u8(below[2], below[3]));
}

std::size_t scan(const std::uint8_t* lut, std::size_t dim, const ScanList& list, float threshold,
                 std::uint32_t* entries, float* bounds) noexcept {
  const std::size_t groups = sign_groups(dim);
  const std::size_t end = std::size_t{list.lane} + list.count;
  const std::uint8_t* block = list.blocks;
  std::size_t found = 0;
  for (std::size_t place = 0; list.count > 0 && place < end; place += kBlockEntries) {
    const std::uint32_t wanted = wanted_entries(list, place, end);
    float all[kBlockEntries];
    std::uint32_t hits = wanted;
    if (wanted != 0) {
      hits &=
          bound_block(sum_block(lut, groups, block), block + list.factors, list, threshold, all);
    }
    for (; hits != 0; hits &= hits - 1) {
      const auto entry = static_cast<std::uint32_t>(__builtin_ctz(hits));
      entries[found] = static_cast<std::uint32_t>(place) + entry - list.lane;
      bounds[found] = all[entry];
      ++found;
    }
    block += list.stride;
  }
  return found;
}

void gather_signs(const std::uint8_t* block, std::uint32_t lane, std::size_t dim,
                  std::uint8_t* signs) noexcept {
  const std::uint8_t* bytes = block + lane % 16;
  const unsigned shift = lane < 16 ? 0 : 4;
  const std::size_t groups = sign_groups(dim);
  for (std::size_t i = 0; i < groups / 2; ++i) {
    const unsigned low = bytes[32 * i] >> shift & 15U;
    const unsigned high = bytes[32 * i + 16] >> shift & 15U;
    signs[i] = static_cast<std::uint8_t>(low | high << 4);
  }
  if (groups % 2 != 0) {
    signs[groups / 2] = static_cast<std::uint8_t>(bytes[16 * (groups - 1)] >> shift & 15U);
  }
}

constexpr std::size_t kStep = 64;  // dims of a step of dot_planes: 8 bytes of each plane

// Levels in kTables registers of 16 (1, 2 or 4), split into low and high bytes.
template <std::size_t kTables>
struct LevelTable {
  uint8x16_t low[kTables];
  uint8x16_t high[kTables];

  LevelTable(const std::int16_t* levels, std::size_t bits) noexcept {
    std::int16_t few[16] = {};
    if (bits < 4) {
      for (std::size_t i = 0; i < std::size_t{1} << bits; ++i) few[i] = levels[i];
      levels = few;
    }
    for (std::size_t t = 0; t < kTables; ++t) {
      const auto bytes =
          vld2q_u8(reinterpret_cast<const std::uint8_t*>(levels + 16 * t));  // little-endian
      low[t] = bytes.val[0];
      high[t] = bytes.val[1];
    }
  }

  static uint8x16_t look_up(const uint8x16_t* table, uint8x16_t number) noexcept {
    if constexpr (kTables == 1) return vqtbl1q_u8(table[0], number);
    if constexpr (kTables == 2) return vqtbl2q_u8({{table[0], table[1]}}, number);
    if constexpr (kTables == 4) {
      return vqtbl4q_u8({{table[0], table[1], table[2], table[3]}}, number);
    }
  }

  int16x8x2_t operator()(uint8x16_t number) const noexcept {
    const uint8x16_t low_bytes = look_up(low, number);
    const uint8x16_t high_bytes = look_up(high, number);
    return {{vreinterpretq_s16_u8(vzip1q_u8(low_bytes, high_bytes)),
             vreinterpretq_s16_u8(vzip2q_u8(low_bytes, high_bytes))}};
  }
};

// Levels of 7 and 8 bits stay in memory.
struct LevelMemory {
  const std::int16_t* levels;

  int16x8x2_t operator()(uint8x16_t number) const noexcept {
    std::uint8_t numbers[16];
    std::int16_t values[16];
    vst1q_u8(numbers, number);
    for (std::size_t i = 0; i < 16; ++i) values[i] = levels[numbers[i]];
    return {{vld1q_s16(values), vld1q_s16(values + 8)}};
  }
};

// The level numbers of 64 dims: the bits of a plane become whole bytes, 255 where set, and
// number = 2 number - byte.
struct LevelNumbers {
  uint8x16_t of[4];

  LevelNumbers() noexcept {
    for (auto& numbers : of) numbers = vdupq_n_u8(0);
  }

  void append_plane(const std::uint8_t* plane) noexcept {
    const uint8x16_t weights = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    const uint8x16_t first_two = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1};
    const uint8x8_t eight = vld1_u8(plane);
    const uint8x16_t packed = vcombine_u8(eight, eight);
#pragma GCC unroll 4
    for (std::uint8_t v = 0; v < 4; ++v) {
      const uint8x16_t places = vaddq_u8(first_two, vdupq_n_u8(static_cast<std::uint8_t>(2 * v)));
      const uint8x16_t set = vtstq_u8(vqtbl1q_u8(packed, places), weights);
      of[v] = vsubq_u8(vaddq_u8(of[v], of[v]), set);
    }
  }
};

inline int32x4_t add_products(int32x4_t sum, int16x8_t x, int16x8_t y) noexcept {
  return vmlal_high_s16(vmlal_s16(sum, vget_low_s16(x), vget_low_s16(y)), x, y);
}

// A code: `bits` - 1 planes, `stride` bytes apart, below its signs.
struct Planes {
  const std::uint8_t* signs;
  const std::uint8_t* planes;
  std::size_t bits;
  std::size_t stride;
};

// Adds the products of 64 dims from byte `first` of the planes on.
template <typename Levels>
inline void add_step(int32x4x2_t& sum, const Levels& levels, const Planes& code, std::size_t first,
                     const std::int16_t* query) noexcept {
  LevelNumbers numbers;
  numbers.append_plane(code.signs + first);
  for (std::size_t p = code.bits - 1; p-- > 0;) {
    numbers.append_plane(code.planes + p * code.stride + first);
  }
#pragma GCC unroll 4
  for (std::size_t v = 0; v < 4; ++v) {
    const int16x8x2_t values = levels(numbers.of[v]);
    sum.val[0] = add_products(sum.val[0], values.val[0], vld1q_s16(query + 16 * v));
    sum.val[1] = add_products(sum.val[1], values.val[1], vld1q_s16(query + 16 * v + 8));
  }
}

// The last dims, filled up to 64 by zeros of the query.
template <typename Levels>
inline void add_last_step(int32x4x2_t& sum, const Levels& levels, const Planes& code,
                          std::size_t first, const std::int16_t* query, std::size_t dims) noexcept {
  std::uint8_t signs[8] = {};
  std::uint8_t planes[7 * 8] = {};
  std::int16_t last_query[kStep] = {};
  for (std::size_t i = 0; i < plane_bytes(dims); ++i) {
    signs[i] = code.signs[first + i];
    for (std::size_t p = 0; p + 1 < code.bits; ++p) {
      planes[8 * p + i] = code.planes[p * code.stride + first + i];
    }
  }
  for (std::size_t i = 0; i < dims; ++i) last_query[i] = query[i];
  add_step(sum, levels, {signs, planes, code.bits, 8}, 0, last_query);
}

template <typename Levels>
inline std::int32_t dot_levels(const Levels& levels, const Planes& code, const std::int16_t* query,
                               std::size_t dim) noexcept {
  int32x4x2_t sum = {{vdupq_n_s32(0), vdupq_n_s32(0)}};
  std::size_t i = 0;
  for (; i + kStep <= dim; i += kStep) add_step(sum, levels, code, i / 8, query + i);
  if (i < dim) add_last_step(sum, levels, code, i / 8, query + i, dim - i);
  return vaddvq_s32(vaddq_s32(sum.val[0], sum.val[1]));
}

std::int32_t dot_planes(const std::uint8_t* signs, const std::uint8_t* planes, std::size_t bits,
                        const std::int16_t* levels, const std::int16_t* query,
                        std::size_t dim) noexcept {
  const Planes code = {signs, planes, bits, plane_bytes(dim)};
  if (bits <= 4) return dot_levels(LevelTable<1>(levels, bits), code, query, dim);
  if (bits == 5) return dot_levels(LevelTable<2>(levels, bits), code, query, dim);
  if (bits == 6) return dot_levels(LevelTable<4>(levels, bits), code, query, dim);
  return dot_levels(LevelMemory{levels}, code, query, dim);
}

std::int32_t dot_bytes(const std::int8_t* row, const std::int16_t* query,
                       std::size_t dim) noexcept {
  int32x4_t even = vdupq_n_s32(0);
  int32x4_t odd = vdupq_n_s32(0);
  std::size_t i = 0;
  for (; i + 16 <= dim; i += 16) {
    const int8x16_t values = vld1q_s8(row + i);
    even = add_products(even, vmovl_s8(vget_low_s8(values)), vld1q_s16(query + i));
    odd = add_products(odd, vmovl_high_s8(values), vld1q_s16(query + i + 8));
  }
  std::int32_t sum = vaddvq_s32(vaddq_s32(even, odd));
  for (; i < dim; ++i) sum += row[i] * query[i];
  return sum;
}

std::int32_t dot_words(const std::int16_t* row, const std::int16_t* query,
                       std::size_t dim) noexcept {
  int32x4_t even = vdupq_n_s32(0);
  int32x4_t odd = vdupq_n_s32(0);
  std::size_t i = 0;
  for (; i + 16 <= dim; i += 16) {
    even = add_products(even, vld1q_s16(row + i), vld1q_s16(query + i));
    odd = add_products(odd, vld1q_s16(row + i + 8), vld1q_s16(query + i + 8));
  }
  std::int32_t sum = vaddvq_s32(vaddq_s32(even, odd));
  for (; i < dim; ++i) sum += row[i] * query[i];
  return sum;
}

}  // namespace

void install_neon_codes(Kernels& kernels) noexcept {
  kernels.build_lut = build_lut;
  kernels.scan = scan;
  kernels.gather_signs = gather_signs;
  kernels.dot_planes = dot_planes;
  kernels.dot_bytes = dot_bytes;
  kernels.dot_words = dot_words;
}

}  // namespace obliq

// AVX2: the LUT of a query and the scan of sign blocks with it.
//
// A register holds two groups of a block, one in each 128 bits, and VPSHUFB looks 32 nibbles up at
// once. LUT values are at most 31, so that eight of them are summed in bytes (<= 248) before they
// are widened. Widening keeps two sums of 16-bit words: of whole words (even byte + 256 * odd byte,
// modulo 2^16) and of the odd bytes; the even sums are the difference (FAISS's fast-scan does so).
//
// The low nibbles are those of the entries 0..15 of a block, the high nibbles those of 16..31.
// Where a list has entries in one half of a block alone, the other is not looked up: its sums stay
// 0.
#include <immintrin.h>

#include "core/kernels/kernels.h"
#include "core/kernels/vector_scan.h"

namespace obliq {
namespace {

// One dim of each group, in every lane of the group's 128 bits, negated where `negative` is set.
template <int which>
__m256 signed_dim(__m256 query, __m256 negative) noexcept {
  return _mm256_xor_ps(_mm256_permute_ps(query, which * 0x55), negative);
}

struct LutRule {
  __m256 inv_step;
  __m256 offset;
  __m256 max_value;

  // Negative values stay: the packing to unsigned bytes lifts them to 0.
  __m256i operator()(__m256 t) const noexcept {
    const __m256 value = _mm256_add_ps(_mm256_mul_ps(t, inv_step), offset);
    return _mm256_cvtps_epi32(_mm256_min_ps(value, max_value));
  }
};

// Two groups, one in each 128 bits: pair[m % 4] + other_pair[m / 4] for m = 0..15.
__m256i lut_of(__m256 q, const LutRule& rule) noexcept {
  const __m256 even_minus = _mm256_setr_ps(-0.0F, 0, -0.0F, 0, -0.0F, 0, -0.0F, 0);
  const __m256 low_minus = _mm256_setr_ps(-0.0F, -0.0F, 0, 0, -0.0F, -0.0F, 0, 0);
  const __m256 pair = _mm256_add_ps(signed_dim<0>(q, even_minus), signed_dim<1>(q, low_minus));
  const __m256 other = _mm256_add_ps(signed_dim<2>(q, even_minus), signed_dim<3>(q, low_minus));
  const __m256i words_0_7 =
      _mm256_packs_epi32(rule(_mm256_add_ps(pair, _mm256_permute_ps(other, 0x00))),
                         rule(_mm256_add_ps(pair, _mm256_permute_ps(other, 0x55))));
  const __m256i words_8_15 =
      _mm256_packs_epi32(rule(_mm256_add_ps(pair, _mm256_permute_ps(other, 0xAA))),
                         rule(_mm256_add_ps(pair, _mm256_permute_ps(other, 0xFF))));
  return _mm256_packus_epi16(words_0_7, words_8_15);
}

void build_lut(const float* query, std::size_t dim, float inv_step, float offset, int max_value,
               std::uint8_t* lut) noexcept {
  const LutRule rule = {_mm256_set1_ps(inv_step), _mm256_set1_ps(offset),
                        _mm256_set1_ps(static_cast<float>(max_value))};
  std::size_t i = 0;
  for (; i + 8 <= dim; i += 8) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(lut + 4 * i),
                        lut_of(_mm256_loadu_ps(query + i), rule));
  }
  if (i == dim) return;
  float rest[8] = {};
  for (std::size_t j = 0; i + j < dim; ++j) rest[j] = query[i + j];
  const __m256i bytes = lut_of(_mm256_loadu_ps(rest), rule);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(lut + 4 * i), _mm256_castsi256_si128(bytes));
  if (dim - i > 4) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(lut + 4 * i + 16),
                     _mm256_extracti128_si256(bytes, 1));
  }
}

// Sums of 16 entries, spread over the two 128-bit parts.
struct WideSums {
  __m256i words = _mm256_setzero_si256();
  __m256i odds = _mm256_setzero_si256();

  void add(__m256i bytes) noexcept {
    words = _mm256_add_epi16(words, bytes);
    odds = _mm256_add_epi16(odds, _mm256_srli_epi16(bytes, 8));
  }
  // The 16 sums in order.
  __m256i total() const noexcept {
    const __m256i evens = _mm256_sub_epi16(words, _mm256_slli_epi16(odds, 8));
    const __m256i first = _mm256_unpacklo_epi16(evens, odds);
    const __m256i second = _mm256_unpackhi_epi16(evens, odds);
    return _mm256_add_epi16(_mm256_permute2x128_si256(first, second, 0x20),
                            _mm256_permute2x128_si256(first, second, 0x31));
  }
};

__m256i load32(const std::uint8_t* bytes) noexcept {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes));
}

constexpr unsigned kLowHalf = 1;
constexpr unsigned kHighHalf = 2;

// Byte sums of up to eight look-ups for the low nibbles' entries and the high nibbles'.
template <unsigned halves>
struct ByteSums {
  __m256i low = _mm256_setzero_si256();
  __m256i high = _mm256_setzero_si256();

  void add(__m256i table, __m256i codes) noexcept {
    const __m256i mask = _mm256_set1_epi8(15);
    if constexpr ((halves & kLowHalf) != 0) {
      low = _mm256_add_epi8(low, _mm256_shuffle_epi8(table, _mm256_and_si256(codes, mask)));
    }
    if constexpr ((halves & kHighHalf) != 0) {
      const __m256i high_codes = _mm256_and_si256(_mm256_srli_epi16(codes, 4), mask);
      high = _mm256_add_epi8(high, _mm256_shuffle_epi8(table, high_codes));
    }
  }
};

// LUT sums of the entries 0..15 and 16..31 of a block, 0 of a half that is not wanted. Fetches the
// block at `ahead` on the way.
template <unsigned halves>
void block_sums(const std::uint8_t* lut, const std::uint8_t* block, const std::uint8_t* ahead,
                std::size_t groups, __m256i (&sums)[2]) noexcept {
  WideSums low;
  WideSums high;
  std::size_t g = 0;
  for (; g + 16 <= groups; g += 16) {
    ByteSums<halves> bytes;
    const std::size_t from = 16 * g;
#pragma GCC unroll 8
    for (std::size_t at = 0; at < 256; at += 32) {
      if (at % 64 == 0) __builtin_prefetch(ahead + from + at);
      bytes.add(load32(lut + from + at), load32(block + from + at));
    }
    low.add(bytes.low);
    high.add(bytes.high);
  }
  ByteSums<halves> rest;
  for (; g + 2 <= groups; g += 2) rest.add(load32(lut + 16 * g), load32(block + 16 * g));
  if (g < groups) {
    // The missing group reads factors as codes, against a LUT of zeros.
    const __m128i table = _mm_loadu_si128(reinterpret_cast<const __m128i*>(lut + 16 * g));
    rest.add(_mm256_zextsi128_si256(table), load32(block + 16 * g));
  }
  low.add(rest.low);
  high.add(rest.high);
  sums[0] = low.total();
  sums[1] = high.total();
}

// The bounds of 8 entries from their LUT sums and factors.
class Bounds {
 public:
  explicit Bounds(const ScanList& list) noexcept
      : base_(_mm256_set1_ps(list.base)),
        a_scale_(_mm256_set1_ps(list.add_scale)),
        b_scale_(_mm256_set1_ps(list.rescale_scale)),
        lut_step_(_mm256_set1_ps(list.lut_step)),
        lut_shift_(_mm256_set1_ps(list.lut_shift)) {}

  __m256 operator()(__m128i sums, const std::uint8_t* factors) const noexcept {
    const __m256 sum = _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(sums));
    const __m256 a = halves(factors);
    const __m256 b = halves(factors + 2 * kBlockEntries);
    const __m256 ip = _mm256_add_ps(_mm256_mul_ps(sum, lut_step_), lut_shift_);
    return _mm256_sub_ps(_mm256_add_ps(base_, _mm256_mul_ps(a, a_scale_)),
                         _mm256_mul_ps(_mm256_mul_ps(b, b_scale_), ip));
  }

 private:
  static __m256 halves(const std::uint8_t* bytes) noexcept {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)));
  }

  __m256 base_;
  __m256 a_scale_;
  __m256 b_scale_;
  __m256 lut_step_;
  __m256 lut_shift_;
};

void wanted_sums(std::uint32_t wanted, const std::uint8_t* lut, const std::uint8_t* block,
                 const std::uint8_t* ahead, std::size_t groups, __m256i (&sums)[2]) noexcept {
  if (wanted >> 16 == 0) return block_sums<kLowHalf>(lut, block, ahead, groups, sums);
  if ((wanted & 0xFFFFU) == 0) return block_sums<kHighHalf>(lut, block, ahead, groups, sums);
  block_sums<kLowHalf | kHighHalf>(lut, block, ahead, groups, sums);
}

// A block of which all entries pass; `first`: the number of its first one.
void write_all(const float* bound, std::uint32_t first, std::uint32_t* entries,
               float* bounds) noexcept {
  __builtin_memcpy(bounds, bound, sizeof(float) * kBlockEntries);
  for (std::uint32_t i = 0; i < kBlockEntries; ++i) entries[i] = first + i;
}

std::size_t scan(const std::uint8_t* lut, std::size_t dim, const ScanList& asked, float threshold,
                 std::uint32_t* entries, float* bounds) noexcept {
  const ScanList list = asked;  // which no store of the loop may change
  if (list.count == 0) return 0;
  const std::size_t groups = sign_groups(dim);
  const Bounds bounds_of(list);
  const __m256 limit = _mm256_set1_ps(threshold);
  const std::uint64_t end = std::uint64_t{list.lane} + list.count;
  const Stream stream(list, end);
  std::size_t found = 0;
  const std::uint8_t* block = list.blocks;
  for (std::uint64_t first = 0; first < end; first += kBlockEntries, block += list.stride) {
    __m256i sums[2];
    const std::uint32_t wanted = wanted_entries(list, first, end);
    const std::uint8_t* ahead = stream.after(block, first);
    if (wanted == 0) {
      if (ahead != block) fetch_block(ahead, list.stride);
      continue;
    }
    wanted_sums(wanted, lut, block, ahead, groups, sums);
    fetch(ahead + list.factors);
    float bound[kBlockEntries];
    std::uint32_t below = 0;
#pragma GCC unroll 4
    for (std::size_t part = 0; part < 4; ++part) {
      const __m128i part_sums = part % 2 == 0 ? _mm256_castsi256_si128(sums[part / 2])
                                              : _mm256_extracti128_si256(sums[part / 2], 1);
      const __m256 values = bounds_of(part_sums, block + list.factors + 16 * part);
      _mm256_storeu_ps(bound + 8 * part, values);
      const int mask = _mm256_movemask_ps(_mm256_cmp_ps(values, limit, _CMP_LT_OQ));
      below |= static_cast<std::uint32_t>(mask) << (8 * part);
    }
    below &= wanted;
    if (below == ~0U) {  // all lists of a router, most entries where there is no k-th distance
      write_all(bound, static_cast<std::uint32_t>(first) - list.lane, entries + found,
                bounds + found);
      found += kBlockEntries;
      continue;
    }
    for (; below != 0; below &= below - 1) {
      const auto entry = static_cast<std::uint32_t>(__builtin_ctz(below));
      entries[found] = static_cast<std::uint32_t>(first) + entry - list.lane;
      bounds[found++] = bound[entry];
    }
  }
  return found;
}

// For each mask of eight lanes the numbers of those that are set, in rising order.
struct LaneTable {
  std::uint8_t lanes[256][8] = {};

  constexpr LaneTable() noexcept {
    for (unsigned mask = 0; mask < 256; ++mask) {
      unsigned count = 0;
      for (unsigned lane = 0; lane < 8; ++lane) {
        if ((mask >> lane & 1U) != 0) lanes[mask][count++] = static_cast<std::uint8_t>(lane);
      }
    }
  }
};
constexpr LaneTable kLaneTable;

std::size_t select_below(const float* values, std::size_t n, float limit,
                         std::uint32_t* out) noexcept {
  const __m256 most = _mm256_set1_ps(limit);
  std::size_t found = 0;
  std::size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const int mask =
        _mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(values + i), most, _CMP_LE_OQ));
    const __m128i lanes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(kLaneTable.lanes[mask]));
    const __m256i numbers =
        _mm256_add_epi32(_mm256_cvtepu8_epi32(lanes), _mm256_set1_epi32(static_cast<int>(i)));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + found), numbers);
    found += static_cast<std::size_t>(__builtin_popcount(static_cast<unsigned>(mask)));
  }
  for (; i < n; ++i) {
    out[found] = static_cast<std::uint32_t>(i);
    found += values[i] <= limit ? 1 : 0;
  }
  return found;
}

}  // namespace

void install_avx2_scan(Kernels& kernels) noexcept {
  kernels.build_lut = build_lut;
  kernels.scan = scan;
  kernels.select_below = select_below;
}

}  // namespace obliq

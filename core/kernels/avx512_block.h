// The scan of sign blocks on AVX-512, shared by avx512_scan.cc and avx512vnni.cc, which differ in
// how they move the high nibbles down. Everything here has internal linkage: each of the two files
// has its own copy, compiled with its own flags.
//
// A register holds four groups of a block, one in each 128 bits, and VPSHUFB looks 64 nibbles up at
// once. LUT values are at most 31, so that eight of them are summed in bytes (<= 248) before they
// are widened. Widening keeps two sums of 16-bit words: of whole words (even byte + 256 * odd byte,
// modulo 2^16) and of the odd bytes; the even sums are the difference (FAISS's fast-scan does so).
#pragma once

#include <immintrin.h>

#include "core/kernels/kernels.h"
#include "core/kernels/vector_scan.h"

namespace obliq {
namespace {

// Sums of 16 entries, spread over the four 128-bit parts.
struct WideSums {
  __m512i words = _mm512_setzero_si512();
  __m512i odds = _mm512_setzero_si512();

  void add(__m512i bytes) noexcept {
    words = _mm512_add_epi16(words, bytes);
    odds = _mm512_add_epi16(odds, _mm512_srli_epi16(bytes, 8));
  }
  __m512i evens() const noexcept { return _mm512_sub_epi16(words, _mm512_slli_epi16(odds, 8)); }
  __m512i first_half() const noexcept { return _mm512_unpacklo_epi16(evens(), odds); }
  __m512i second_half() const noexcept { return _mm512_unpackhi_epi16(evens(), odds); }
};

// The 128-bit parts of a summed in the first two parts of the result's lower half, b's in the
// upper half: {a0 + a2, a1 + a3, b0 + b2, b1 + b3}.
inline __m512i halve(__m512i a, __m512i b) noexcept {
  return _mm512_add_epi16(_mm512_shuffle_i64x2(a, b, 0x44), _mm512_shuffle_i64x2(a, b, 0xEE));
}

// LUT sums of the 32 entries of a block, as 16-bit words in order. HighNibble moves the upper four
// bits of each byte down and clears the rest. Fetches the block at `ahead` on the way.
template <class HighNibble>
__m512i block_sums(const std::uint8_t* lut, const std::uint8_t* block, const std::uint8_t* ahead,
                   std::size_t groups, HighNibble high_nibble) noexcept {
  constexpr std::size_t kDepth = 8;
  const __m512i low_bits = _mm512_set1_epi8(15);
  WideSums low;
  WideSums high;
  std::size_t g = 0;
  for (; g + 4 * kDepth <= groups; g += 4 * kDepth) {
    __m512i low_bytes = _mm512_setzero_si512();
    __m512i high_bytes = _mm512_setzero_si512();
#pragma GCC unroll 8
    for (std::size_t step = 0; step < kDepth; ++step) {
      const std::size_t at = 16 * g + 64 * step;
      __builtin_prefetch(ahead + at);
      const __m512i table = _mm512_loadu_si512(lut + at);
      const __m512i codes = _mm512_loadu_si512(block + at);
      low_bytes =
          _mm512_add_epi8(low_bytes, _mm512_shuffle_epi8(table, _mm512_and_si512(codes, low_bits)));
      high_bytes = _mm512_add_epi8(high_bytes, _mm512_shuffle_epi8(table, high_nibble(codes)));
    }
    low.add(low_bytes);
    high.add(high_bytes);
  }
  if (g < groups) {
    __m512i low_bytes = _mm512_setzero_si512();
    __m512i high_bytes = _mm512_setzero_si512();
    for (; g < groups; g += 4) {
      // Missing groups read factors as codes, against a LUT of zeros.
      const std::size_t bytes = 16 * (groups - g);
      const __mmask64 present = bytes >= 64 ? ~__mmask64{0} : (__mmask64{1} << bytes) - 1;
      const __m512i table = _mm512_maskz_loadu_epi8(present, lut + 16 * g);
      const __m512i codes = _mm512_loadu_si512(block + 16 * g);
      low_bytes =
          _mm512_add_epi8(low_bytes, _mm512_shuffle_epi8(table, _mm512_and_si512(codes, low_bits)));
      high_bytes = _mm512_add_epi8(high_bytes, _mm512_shuffle_epi8(table, high_nibble(codes)));
    }
    low.add(low_bytes);
    high.add(high_bytes);
  }
  const __m512i entries_0_15 = halve(low.first_half(), low.second_half());
  const __m512i entries_16_31 = halve(high.first_half(), high.second_half());
  return _mm512_add_epi16(_mm512_shuffle_i64x2(entries_0_15, entries_16_31, 0x88),
                          _mm512_shuffle_i64x2(entries_0_15, entries_16_31, 0xDD));
}

// The bounds of 16 entries from their LUT sums and factors.
class Bounds {
 public:
  explicit Bounds(const ScanList& list) noexcept
      : base_(_mm512_set1_ps(list.base)),
        a_scale_(_mm512_set1_ps(list.add_scale)),
        b_scale_(_mm512_set1_ps(list.rescale_scale)),
        lut_step_(_mm512_set1_ps(list.lut_step)),
        lut_shift_(_mm512_set1_ps(list.lut_shift)) {}

  __m512 operator()(__m256i sums, const std::uint8_t* factors) const noexcept {
    const __m512 sum = _mm512_cvtepi32_ps(_mm512_cvtepu16_epi32(sums));
    const __m512 a = halves(factors);
    const __m512 b = halves(factors + 2 * kBlockEntries);
    const __m512 ip = _mm512_add_ps(_mm512_mul_ps(sum, lut_step_), lut_shift_);
    return _mm512_sub_ps(_mm512_add_ps(base_, _mm512_mul_ps(a, a_scale_)),
                         _mm512_mul_ps(_mm512_mul_ps(b, b_scale_), ip));
  }

 private:
  static __m512 halves(const std::uint8_t* bytes) noexcept {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes)));
  }

  __m512 base_;
  __m512 a_scale_;
  __m512 b_scale_;
  __m512 lut_step_;
  __m512 lut_shift_;
};

inline __m512i numbers_from(std::uint32_t first) noexcept {
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  return _mm512_add_epi32(lanes, _mm512_set1_epi32(static_cast<int>(first)));
}

// A block whose 32 entries are all wanted, the first of which has that number.
inline void write_all(const __m512 (&bound)[2], std::uint32_t number, std::uint32_t* entries,
                      float* bounds) noexcept {
  for (std::uint32_t half = 0; half < 2; ++half) {
    _mm512_storeu_si512(entries + 16 * half, numbers_from(number + 16 * half));
    _mm512_storeu_ps(bounds + 16 * half, bound[half]);
  }
}

template <class HighNibble>
std::size_t scan_blocks(const std::uint8_t* lut, std::size_t dim, const ScanList& asked,
                        float threshold, std::uint32_t* entries, float* bounds,
                        HighNibble high_nibble) noexcept {
  const ScanList list = asked;  // which no store of the loop may change
  if (list.count == 0) return 0;
  const std::size_t groups = sign_groups(dim);
  const Bounds bounds_of(list);
  const __m512 limit = _mm512_set1_ps(threshold);
  const std::uint64_t end = std::uint64_t{list.lane} + list.count;
  const Stream stream(list, end);
  std::size_t found = 0;
  const std::uint8_t* block = list.blocks;
  for (std::uint64_t first = 0; first < end; first += kBlockEntries, block += list.stride) {
    const std::uint32_t wanted = wanted_entries(list, first, end);
    const std::uint8_t* ahead = stream.after(block, first);
    if (wanted == 0) {
      if (ahead != block) fetch_block(ahead, list.stride);
      continue;
    }
    const __m512i sums = block_sums(lut, block, ahead, groups, high_nibble);
    const std::uint8_t* factors = block + list.factors;
    fetch(ahead + list.factors);
    const __m512 bound[2] = {bounds_of(_mm512_castsi512_si256(sums), factors),
                             bounds_of(_mm512_extracti64x4_epi64(sums, 1), factors + 32)};
    std::uint32_t below = _mm512_cmp_ps_mask(bound[0], limit, _CMP_LT_OQ);
    below |= static_cast<std::uint32_t>(_mm512_cmp_ps_mask(bound[1], limit, _CMP_LT_OQ)) << 16;
    below &= wanted;
    if (below == 0) continue;
    fetch(factors + 4 * kBlockEntries);
    const auto number = static_cast<std::uint32_t>(first) - list.lane;
    if (below == ~0U) {  // all lists of a router, most entries where there is no k-th distance
      write_all(bound, number, entries + found, bounds + found);
      found += kBlockEntries;
      continue;
    }
    for (std::uint32_t half = 0; half < 2; ++half) {
      const auto mask = static_cast<__mmask16>(below >> (16 * half));
      const __m512i numbers = numbers_from(number + 16 * half);
      _mm512_storeu_si512(entries + found, _mm512_maskz_compress_epi32(mask, numbers));
      _mm512_storeu_ps(bounds + found, _mm512_maskz_compress_ps(mask, bound[half]));
      found += static_cast<std::size_t>(__builtin_popcount(mask));
    }
  }
  return found;
}

}  // namespace
}  // namespace obliq

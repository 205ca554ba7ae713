// AVX-512: the products of rows with a query, for the refine stage. Signs are collected from a
// block; bit planes become level numbers by masked additions and levels by VPERMW; products are
// VPMADDWD on 16-bit words.
#include <immintrin.h>

#include "core/kernels/kernels.h"

namespace obliq {
namespace {

__mmask32 first_words(std::size_t count) noexcept {
  return count >= 32 ? ~__mmask32{0} : (__mmask32{1} << count) - 1;
}

// Byte `byte` of each of `count` <= 32 groups: group 4c + p lands in byte c of the 128-bit part p.
// Load c starts c bytes further down, so that the byte stands there, and its mask keeps that alone.
__m512i entry_bytes(const std::uint8_t* groups, std::uint32_t byte, std::size_t count) noexcept {
  constexpr __mmask64 kFirstBytes = 0x0001000100010001U;
  const std::uint8_t* source = groups + byte;
  __m512i bytes = _mm512_loadu_si512(source);
#pragma GCC unroll 7
  for (std::size_t c = 1; c < 8; ++c) {
    if (4 * c >= count) break;
    bytes = _mm512_mask_loadu_epi8(bytes, kFirstBytes << c, source + 63 * c);
  }
  return bytes;
}

// The low nibbles of the bytes, two to a byte, in the order of the groups.
__m128i packed_nibbles(__m512i bytes) noexcept {
  const __m512i parts = _mm512_setr_epi64(0, 4, 2, 6, 0, 0, 0, 0);
  const __m128i interleave = _mm_setr_epi8(0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15);
  // Parts 0 and 2 hold the low nibbles of the even and of the odd bytes, parts 1 and 3 the high.
  const __m256i gathered = _mm512_castsi512_si256(_mm512_permutexvar_epi64(parts, bytes));
  const __m256i nibbles = _mm256_and_si256(gathered, _mm256_set1_epi8(15));
  const __m128i both = _mm_or_si128(_mm256_castsi256_si128(nibbles),
                                    _mm_slli_epi16(_mm256_extracti128_si256(nibbles, 1), 4));
  return _mm_shuffle_epi8(both, interleave);
}

void gather_signs(const std::uint8_t* block, std::uint32_t lane, std::size_t dim,
                  std::uint8_t* signs) noexcept {
  const std::size_t groups = sign_groups(dim);
  const __m128i shift = _mm_cvtsi32_si128(lane < 16 ? 0 : 4);
  std::size_t g = 0;
  for (; g + 32 <= groups; g += 32) {
    const __m512i bytes = entry_bytes(block + 16 * g, lane % 16, 32);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(signs + g / 2),
                     packed_nibbles(_mm512_srl_epi16(bytes, shift)));
  }
  if (g == groups) return;
  const std::size_t left = groups - g;
  const __m512i bytes = entry_bytes(block + 16 * g, lane % 16, left);
  const __m128i packed = packed_nibbles(_mm512_srl_epi16(bytes, shift));
  // An odd last group has no partner: its byte ends with zeros.
  const auto written = static_cast<__mmask16>((1U << (left + 1) / 2) - 1U);
  _mm_mask_storeu_epi8(signs + g / 2, written, packed);
  if (left % 2 == 1) signs[groups / 2] &= 15;
}

// Words of a table of 2^bits levels in registers, and the look-up of 32 numbers.
template <std::size_t bits>
class LevelWords {
 public:
  explicit LevelWords(const std::int16_t* levels) noexcept {
    for (std::size_t part = 0; part < kParts; ++part) {
      parts_[part] =
          _mm512_maskz_loadu_epi16(first_words(std::size_t{1} << bits), levels + 32 * part);
    }
  }

  __m512i operator()(__m512i index) const noexcept {
    if constexpr (kParts == 1) return _mm512_permutexvar_epi16(index, parts_[0]);
    __m512i found = _mm512_permutex2var_epi16(parts_[0], index, parts_[1]);
    for (std::size_t part = 2; part < kParts; part += 2) {
      const __mmask32 here =
          _mm512_cmpge_epi16_mask(index, _mm512_set1_epi16(static_cast<short>(32 * part)));
      found = _mm512_mask_mov_epi16(
          found, here, _mm512_permutex2var_epi16(parts_[part], index, parts_[part + 1]));
    }
    return found;
  }

 private:
  static constexpr std::size_t kParts = bits <= 5 ? 1 : std::size_t{1} << (bits - 5);
  __m512i parts_[kParts];
};

std::uint32_t load_mask(const std::uint8_t* bytes, std::size_t count) noexcept {
  std::uint32_t mask = 0;
  __builtin_memcpy(&mask, bytes, count);
  return mask;
}

template <std::size_t bits>
std::int32_t dot_planes_of(const std::uint8_t* signs, const std::uint8_t* planes,
                           const std::int16_t* levels, const std::int16_t* query,
                           std::size_t dim) noexcept {
  const LevelWords<bits> level_of(levels);
  const std::size_t stride = plane_bytes(dim);
  __m512i sums = _mm512_setzero_si512();
  const auto step = [&](std::size_t i, std::size_t bytes, __m512i words) {
    __m512i index = _mm512_maskz_set1_epi16(load_mask(signs + i / 8, bytes), 1 << (bits - 1));
    for (std::size_t p = 0; p + 1 < bits; ++p) {
      index = _mm512_mask_add_epi16(index, load_mask(planes + p * stride + i / 8, bytes), index,
                                    _mm512_set1_epi16(static_cast<short>(1 << p)));
    }
    sums = _mm512_add_epi32(sums, _mm512_madd_epi16(level_of(index), words));
  };
  std::size_t i = 0;
  for (; i + 32 <= dim; i += 32) step(i, 4, _mm512_loadu_si512(query + i));
  if (i < dim) {
    step(i, plane_bytes(dim - i), _mm512_maskz_loadu_epi16(first_words(dim - i), query + i));
  }
  return _mm512_reduce_add_epi32(sums);
}

std::int32_t dot_planes(const std::uint8_t* signs, const std::uint8_t* planes, std::size_t bits,
                        const std::int16_t* levels, const std::int16_t* query,
                        std::size_t dim) noexcept {
  switch (bits) {
    case 1:
      return dot_planes_of<1>(signs, signs, levels, query, dim);  // it has no other plane
    case 2:
      return dot_planes_of<2>(signs, planes, levels, query, dim);
    case 3:
      return dot_planes_of<3>(signs, planes, levels, query, dim);
    case 4:
      return dot_planes_of<4>(signs, planes, levels, query, dim);
    case 5:
      return dot_planes_of<5>(signs, planes, levels, query, dim);
    case 6:
      return dot_planes_of<6>(signs, planes, levels, query, dim);
    case 7:
      return dot_planes_of<7>(signs, planes, levels, query, dim);
    default:
      return dot_planes_of<8>(signs, planes, levels, query, dim);
  }
}

std::int32_t dot_bytes(const std::int8_t* row, const std::int16_t* query,
                       std::size_t dim) noexcept {
  __m512i even = _mm512_setzero_si512();
  __m512i odd = _mm512_setzero_si512();
  const auto product = [](__m256i bytes, __m512i words) {
    return _mm512_madd_epi16(_mm512_cvtepi8_epi16(bytes), words);
  };
  std::size_t i = 0;
  for (; i + 64 <= dim; i += 64) {
    const __m256i* bytes = reinterpret_cast<const __m256i*>(row + i);
    even =
        _mm512_add_epi32(even, product(_mm256_loadu_si256(bytes), _mm512_loadu_si512(query + i)));
    odd = _mm512_add_epi32(
        odd, product(_mm256_loadu_si256(bytes + 1), _mm512_loadu_si512(query + i + 32)));
  }
  for (; i < dim; i += 32) {
    const __mmask32 mask = first_words(dim - i);
    even = _mm512_add_epi32(even, product(_mm256_maskz_loadu_epi8(mask, row + i),
                                          _mm512_maskz_loadu_epi16(mask, query + i)));
  }
  return _mm512_reduce_add_epi32(_mm512_add_epi32(even, odd));
}

std::int32_t dot_words(const std::int16_t* row, const std::int16_t* query,
                       std::size_t dim) noexcept {
  __m512i even = _mm512_setzero_si512();
  __m512i odd = _mm512_setzero_si512();
  std::size_t i = 0;
  for (; i + 64 <= dim; i += 64) {
    even = _mm512_add_epi32(
        even, _mm512_madd_epi16(_mm512_loadu_si512(row + i), _mm512_loadu_si512(query + i)));
    odd = _mm512_add_epi32(odd, _mm512_madd_epi16(_mm512_loadu_si512(row + i + 32),
                                                  _mm512_loadu_si512(query + i + 32)));
  }
  for (; i < dim; i += 32) {
    const __mmask32 mask = first_words(dim - i);
    even = _mm512_add_epi32(even, _mm512_madd_epi16(_mm512_maskz_loadu_epi16(mask, row + i),
                                                    _mm512_maskz_loadu_epi16(mask, query + i)));
  }
  return _mm512_reduce_add_epi32(_mm512_add_epi32(even, odd));
}

// How 32 windows of 8 bits, `bits` apart, come out of 17 bytes: the dwords that hold eight of them
// go to a 128-bit part each, then the two bytes of each window to a word, which is shifted.
template <std::size_t bits>
struct WindowPlan {
  std::int32_t dwords[16] = {};
  std::uint8_t bytes[64] = {};
  std::int16_t shifts[32] = {};

  constexpr WindowPlan() noexcept {
    for (std::size_t i = 0; i < 32; ++i) {
      const std::size_t part = i / 8;
      const std::size_t first = part * bits;  // byte of the part's first window
      const std::size_t byte = first % 4 + i % 8 * bits / 8;
      dwords[4 * part] = static_cast<std::int32_t>(first / 4);
      dwords[4 * part + 1] = static_cast<std::int32_t>(first / 4 + 1);
      bytes[2 * i] = static_cast<std::uint8_t>(byte);
      bytes[2 * i + 1] = static_cast<std::uint8_t>(byte + 1);
      shifts[i] = static_cast<std::int16_t>(i * bits % 8);
    }
  }
};

template <std::size_t bits>
std::int32_t dot_windows_of(const std::uint8_t* code, const std::int16_t* levels,
                            const std::int16_t* query, std::size_t dim) noexcept {
  static constexpr WindowPlan<bits> kPlan;
  const LevelWords<8> level_of(levels);
  const __m512i dwords = _mm512_loadu_si512(kPlan.dwords);
  const __m512i bytes = _mm512_loadu_si512(kPlan.bytes);
  const __m512i shifts = _mm512_loadu_si512(kPlan.shifts);
  __m512i sums = _mm512_setzero_si512();
  for (std::size_t i = 0; i < dim; i += 32) {
    const std::size_t count = dim - i < 32 ? dim - i : 32;
    const __mmask32 present = (1U << ((count - 1) * bits + 15) / 8) - 1U;
    const __m256i held = _mm256_maskz_loadu_epi8(present, code + i * bits / 8);
    const __m512i spread = _mm512_permutexvar_epi32(dwords, _mm512_castsi256_si512(held));
    const __m512i shifted = _mm512_srlv_epi16(_mm512_shuffle_epi8(spread, bytes), shifts);
    const __m512i windows = _mm512_and_si512(shifted, _mm512_set1_epi16(255));
    const __m512i words = _mm512_maskz_loadu_epi16(first_words(count), query + i);
    sums = _mm512_add_epi32(sums, _mm512_madd_epi16(level_of(windows), words));
  }
  return _mm512_reduce_add_epi32(sums);
}

std::int32_t dot_windows(const std::uint8_t* code, std::size_t bits, const std::int16_t* levels,
                         const std::int16_t* query, std::size_t dim) noexcept {
  switch (bits) {
    case 1:
      return dot_windows_of<1>(code, levels, query, dim);
    case 2:
      return dot_windows_of<2>(code, levels, query, dim);
    case 3:
      return dot_windows_of<3>(code, levels, query, dim);
    default:
      return dot_windows_of<4>(code, levels, query, dim);
  }
}

}  // namespace

void install_avx512_rows(Kernels& kernels) noexcept {
  kernels.gather_signs = gather_signs;
  kernels.dot_planes = dot_planes;
  kernels.dot_bytes = dot_bytes;
  kernels.dot_words = dot_words;
  kernels.dot_windows = dot_windows;
}

}  // namespace obliq

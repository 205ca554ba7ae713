// AVX2: the products of rows with a query, for the refine stage. Bit planes become level numbers
// in bytes (VPSHUFB spreads a byte of eight bits, a compare tests each); the low and the high bytes
// of the levels are looked up by VPSHUFB, 16 levels per table; products are VPMADDWD on words.
#include <immintrin.h>

#include "core/kernels/kernels.h"

namespace obliq {
namespace {

// Byte k of the result is bytes[32 * k] for k < count <= 8.
std::uint64_t every_32nd(const std::uint8_t* bytes, std::size_t count) noexcept {
  std::uint64_t word = 0;
#pragma GCC unroll 8
  for (std::size_t k = 0; k < count; ++k) word |= std::uint64_t{bytes[32 * k]} << (8 * k);
  return word;
}

void gather_signs(const std::uint8_t* block, std::uint32_t lane, std::size_t dim,
                  std::uint8_t* signs) noexcept {
  const unsigned shift = lane < 16 ? 0 : 4;
  const auto packed = [shift](std::uint64_t even, std::uint64_t odd) {
    constexpr std::uint64_t kLowNibbles = 0x0F0F0F0F0F0F0F0FU;
    return (even >> shift & kLowNibbles) | (odd >> shift & kLowNibbles) << 4;
  };
  const std::uint8_t* bytes = block + lane % 16;
  std::size_t left = sign_groups(dim);
  for (; left >= 16; left -= 16, bytes += 256, signs += 8) {
    const std::uint64_t word = packed(every_32nd(bytes, 8), every_32nd(bytes + 16, 8));
    __builtin_memcpy(signs, &word, 8);
  }
  const std::uint64_t word =
      packed(every_32nd(bytes, (left + 1) / 2), every_32nd(bytes + 16, left / 2));
  __builtin_memcpy(signs, &word, (left + 1) / 2);
}

__m256i load32(const void* bytes) noexcept {
  return _mm256_loadu_si256(static_cast<const __m256i*>(bytes));
}

std::int32_t sum_of(__m256i lanes) noexcept {
  __m128i four = _mm_add_epi32(_mm256_castsi256_si128(lanes), _mm256_extracti128_si256(lanes, 1));
  four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4E));
  return _mm_cvtsi128_si32(_mm_add_epi32(four, _mm_shuffle_epi32(four, 0xB1)));
}

// The levels as tables of 16 low bytes and 16 high bytes, each in both 128-bit parts.
template <std::size_t bits>
class LevelTables {
 public:
  explicit LevelTables(const std::int16_t* levels) noexcept {
    constexpr std::size_t kLevels = std::size_t{1} << bits;
    std::int16_t words[16 * kParts] = {};
    __builtin_memcpy(words, levels, sizeof(std::int16_t) * kLevels);
    for (std::size_t part = 0; part < kParts; ++part) {
      const __m256i all = load32(words + 16 * part);
      low_[part] = packed(_mm256_and_si256(all, _mm256_set1_epi16(255)));
      high_[part] = packed(_mm256_srli_epi16(all, 8));
    }
  }

  // Looks 32 level numbers up. With more than one table, a number of another table gets bit 7,
  // for which VPSHUFB gives 0.
  void operator()(__m256i index, __m256i& low, __m256i& high) const noexcept {
    if constexpr (kParts == 1) {
      low = _mm256_shuffle_epi8(low_[0], index);
      high = _mm256_shuffle_epi8(high_[0], index);
      return;
    }
    low = _mm256_setzero_si256();
    high = _mm256_setzero_si256();
    for (std::size_t part = 0; part < kParts; ++part) {
      const __m256i own = _mm256_xor_si256(index, _mm256_set1_epi8(static_cast<char>(16 * part)));
      const __m256i number = _mm256_adds_epu8(own, _mm256_set1_epi8(0x70));
      low = _mm256_or_si256(low, _mm256_shuffle_epi8(low_[part], number));
      high = _mm256_or_si256(high, _mm256_shuffle_epi8(high_[part], number));
    }
  }

 private:
  static constexpr std::size_t kParts = bits <= 4 ? 1 : std::size_t{1} << (bits - 4);

  static __m256i packed(__m256i words) noexcept {
    const __m256i bytes = _mm256_packus_epi16(words, words);
    return _mm256_permute4x64_epi64(bytes, 0x88);
  }

  __m256i low_[kParts];
  __m256i high_[kParts];
};

// 0 or `weight` in each byte for 32 bits: bytes 0, 2 | 1, 3, so that interleaving the halves of
// each 128 bits with another register gives dims in order.
__m256i spread(std::uint32_t word, int weight) noexcept {
  const __m256i source = _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1,
                                          1, 1, 1, 1, 1, 3, 3, 3, 3, 3, 3, 3, 3);
  const __m256i bit = _mm256_set1_epi64x(static_cast<long long>(0x8040201008040201U));
  const __m256i bytes = _mm256_shuffle_epi8(_mm256_set1_epi32(static_cast<int>(word)), source);
  const __m256i set = _mm256_cmpeq_epi8(_mm256_and_si256(bytes, bit), bit);
  return _mm256_and_si256(set, _mm256_set1_epi8(static_cast<char>(weight)));
}

std::uint32_t load_word(const std::uint8_t* bytes, std::size_t count) noexcept {
  std::uint32_t word = 0;
  __builtin_memcpy(&word, bytes, count);
  return word;
}

template <std::size_t bits>
std::int32_t dot_planes_of(const std::uint8_t* signs, const std::uint8_t* planes,
                           const std::int16_t* levels, const std::int16_t* query,
                           std::size_t dim) noexcept {
  const LevelTables<bits> level_of(levels);
  const std::size_t stride = plane_bytes(dim);
  __m256i even = _mm256_setzero_si256();
  __m256i odd = _mm256_setzero_si256();
  const auto step = [&](std::size_t at, std::size_t bytes, const std::int16_t* words) {
    __m256i index = spread(load_word(signs + at, bytes), 1 << (bits - 1));
#pragma GCC unroll 8
    for (std::size_t p = 0; p + 1 < bits; ++p) {
      index = _mm256_or_si256(index, spread(load_word(planes + p * stride + at, bytes), 1 << p));
    }
    __m256i low;
    __m256i high;
    level_of(index, low, high);
    even =
        _mm256_add_epi32(even, _mm256_madd_epi16(_mm256_unpacklo_epi8(low, high), load32(words)));
    odd = _mm256_add_epi32(odd,
                           _mm256_madd_epi16(_mm256_unpackhi_epi8(low, high), load32(words + 16)));
  };
  std::size_t i = 0;
  for (; i + 32 <= dim; i += 32) step(i / 8, 4, query + i);
  if (i < dim) {
    std::int16_t words[32] = {};
    __builtin_memcpy(words, query + i, sizeof(std::int16_t) * (dim - i));
    step(i / 8, plane_bytes(dim - i), words);
  }
  return sum_of(_mm256_add_epi32(even, odd));
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
  __m256i even = _mm256_setzero_si256();
  __m256i odd = _mm256_setzero_si256();
  const auto product = [](const std::int8_t* bytes, const std::int16_t* words) {
    const __m128i sixteen = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
    return _mm256_madd_epi16(_mm256_cvtepi8_epi16(sixteen), load32(words));
  };
  std::size_t i = 0;
  for (; i + 32 <= dim; i += 32) {
    even = _mm256_add_epi32(even, product(row + i, query + i));
    odd = _mm256_add_epi32(odd, product(row + i + 16, query + i + 16));
  }
  if (i < dim) {
    std::int8_t bytes[32] = {};
    std::int16_t words[32] = {};
    __builtin_memcpy(bytes, row + i, dim - i);
    __builtin_memcpy(words, query + i, sizeof(std::int16_t) * (dim - i));
    even = _mm256_add_epi32(even, product(bytes, words));
    odd = _mm256_add_epi32(odd, product(bytes + 16, words + 16));
  }
  return sum_of(_mm256_add_epi32(even, odd));
}

std::int32_t dot_words(const std::int16_t* row, const std::int16_t* query,
                       std::size_t dim) noexcept {
  __m256i even = _mm256_setzero_si256();
  __m256i odd = _mm256_setzero_si256();
  std::size_t i = 0;
  for (; i + 32 <= dim; i += 32) {
    even = _mm256_add_epi32(even, _mm256_madd_epi16(load32(row + i), load32(query + i)));
    odd = _mm256_add_epi32(odd, _mm256_madd_epi16(load32(row + i + 16), load32(query + i + 16)));
  }
  std::int32_t sum = sum_of(_mm256_add_epi32(even, odd));
  for (; i < dim; ++i) sum += row[i] * query[i];
  return sum;
}

}  // namespace

void install_avx2_rows(Kernels& kernels) noexcept {
  kernels.gather_signs = gather_signs;
  kernels.dot_planes = dot_planes;
  kernels.dot_bytes = dot_bytes;
  kernels.dot_words = dot_words;
}

}  // namespace obliq

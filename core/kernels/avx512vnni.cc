// AVX-512 of Ice Lake and later (VNNI, VBMI, VBMI2, GFNI): the kernels that it improves. Nested E8
// codes are in avx512vnni_e8.cc, byte panels in avx512vnni_panels.cc.
//
// VGF2P8AFFINEQB multiplies each byte by an 8x8 matrix over GF(2). With a constant matrix it moves
// the high nibble down in one step. With constant bytes 1, 2, 4, ... 128 and the matrix taken from
// the data it transposes: byte j of the result holds bit j of the matrix rows, row p (in byte 7 -
// p) giving bit p. So eight bytes, one from each bit plane, become the level numbers of eight dims.
#include <immintrin.h>

#include "core/kernels/avx512_block.h"
#include "core/kernels/kernels.h"

namespace obliq {
namespace {

std::size_t scan(const std::uint8_t* lut, std::size_t dim, const ScanList& list, float threshold,
                 std::uint32_t* entries, float* bounds) noexcept {
  // Row i of the matrix, in byte 7 - i, makes bit i of the result: bit i + 4 for i < 4, else 0.
  const __m512i high_nibble_matrix = _mm512_set1_epi64(0x1020408000000000);
  return scan_blocks(lut, dim, list, threshold, entries, bounds, [&](__m512i codes) {
    return _mm512_gf2p8affine_epi64_epi8(codes, high_nibble_matrix, 0);
  });
}

// The low (or high) bytes of 2^bits levels, and the look-up of 64 level numbers.
template <std::size_t bits>
class LevelBytes {
 public:
  LevelBytes(const std::int16_t* levels, int shift) noexcept {
    constexpr std::size_t kLevels = std::size_t{1} << bits;
    const __m128i count = _mm_cvtsi32_si128(shift);
    for (std::size_t part = 0; part < kParts; ++part) {
      __m256i halves[2] = {};
      for (std::size_t half = 0; half < 2; ++half) {
        const std::size_t first = 64 * part + 32 * half;
        if (first >= kLevels) break;
        const __mmask32 present =
            kLevels >= 32 ? ~0U : static_cast<__mmask32>((1ULL << kLevels) - 1);
        const __m512i words = _mm512_maskz_loadu_epi16(present, levels + first);
        halves[half] = _mm512_cvtepi16_epi8(_mm512_srl_epi16(words, count));
      }
      parts_[part] = _mm512_inserti64x4(_mm512_castsi256_si512(halves[0]), halves[1], 1);
    }
  }

  __m512i operator()(__m512i index) const noexcept {
    if constexpr (kParts == 1) {
      return _mm512_permutexvar_epi8(index, parts_[0]);
    } else if constexpr (kParts == 2) {
      return _mm512_permutex2var_epi8(parts_[0], index, parts_[1]);
    } else {
      return _mm512_mask_blend_epi8(_mm512_movepi8_mask(index),
                                    _mm512_permutex2var_epi8(parts_[0], index, parts_[1]),
                                    _mm512_permutex2var_epi8(parts_[2], index, parts_[3]));
    }
  }

 private:
  static constexpr std::size_t kParts = bits <= 6 ? 1 : std::size_t{1} << (bits - 6);
  __m512i parts_[kParts];
};

// Level numbers of 64 dims from eight bytes of each plane, which load(bytes) puts into the low half
// of a register. The qwords come in the order 0, 4, 1, 5, 2, 6, 3, 7, so that interleaving the
// halves of each 128 bits with another register gives dims in order.
template <std::size_t bits, class Load>
__m512i level_numbers(const std::uint8_t* signs, const std::uint8_t* planes, std::size_t stride,
                      Load load) noexcept {
  constexpr long long kOnes = 0x0101010101010101;
  // Byte 7 - p of the qword for dims 8j, 8j + 1, ... is byte j of qword p, the plane of bit p.
  const __m512i order =
      _mm512_add_epi64(_mm512_set1_epi64(0x0008101820283038),
                       _mm512_setr_epi64(0, 4 * kOnes, kOnes, 5 * kOnes, 2 * kOnes, 6 * kOnes,
                                         3 * kOnes, 7 * kOnes));
  const __m512i one_bits = _mm512_set1_epi64(static_cast<long long>(0x8040201008040201U));
  __m512i rows = _mm512_maskz_broadcastq_epi64(1U << (bits - 1), load(signs));
#pragma GCC unroll 8
  for (std::size_t p = 0; p + 1 < bits; ++p) {
    rows = _mm512_mask_broadcastq_epi64(rows, static_cast<__mmask8>(1U << p),
                                        load(planes + p * stride));
  }
  return _mm512_gf2p8affine_epi64_epi8(one_bits, _mm512_permutexvar_epi8(order, rows), 0);
}

__mmask32 first_words(std::size_t count) noexcept {
  return count >= 32 ? ~__mmask32{0} : (__mmask32{1} << count) - 1;
}

template <std::size_t bits>
std::int32_t dot_planes_of(const std::uint8_t* signs, const std::uint8_t* planes,
                           const std::int16_t* levels, const std::int16_t* query,
                           std::size_t dim) noexcept {
  const LevelBytes<bits> low_byte(levels, 0);
  const LevelBytes<bits> high_byte(levels, 8);
  const std::size_t stride = plane_bytes(dim);
  __m512i even = _mm512_setzero_si512();
  __m512i odd = _mm512_setzero_si512();
  const auto add = [&](__m512i index, __m512i words, __m512i next_words) {
    const __m512i low = low_byte(index);
    const __m512i high = high_byte(index);
    even = _mm512_dpwssd_epi32(even, _mm512_unpacklo_epi8(low, high), words);
    odd = _mm512_dpwssd_epi32(odd, _mm512_unpackhi_epi8(low, high), next_words);
  };
  std::size_t i = 0;
  for (; i + 64 <= dim; i += 64) {
    const auto load = [](const std::uint8_t* bytes) {
      return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(bytes));
    };
    add(level_numbers<bits>(signs + i / 8, planes + i / 8, stride, load),
        _mm512_loadu_si512(query + i), _mm512_loadu_si512(query + i + 32));
  }
  if (i < dim) {
    const std::size_t left = dim - i;
    const auto present = static_cast<__mmask16>((1U << plane_bytes(left)) - 1U);
    const auto load = [present](const std::uint8_t* bytes) {
      return _mm_maskz_loadu_epi8(present, bytes);
    };
    add(level_numbers<bits>(signs + i / 8, planes + i / 8, stride, load),
        _mm512_maskz_loadu_epi16(first_words(left), query + i),
        _mm512_maskz_loadu_epi16(left > 32 ? first_words(left - 32) : 0, query + i + 32));
  }
  return _mm512_reduce_add_epi32(_mm512_add_epi32(even, odd));
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
  std::size_t i = 0;
  for (; i + 64 <= dim; i += 64) {
    const __m256i* bytes = reinterpret_cast<const __m256i*>(row + i);
    even = _mm512_dpwssd_epi32(even, _mm512_cvtepi8_epi16(_mm256_loadu_si256(bytes)),
                               _mm512_loadu_si512(query + i));
    odd = _mm512_dpwssd_epi32(odd, _mm512_cvtepi8_epi16(_mm256_loadu_si256(bytes + 1)),
                              _mm512_loadu_si512(query + i + 32));
  }
  for (; i < dim; i += 32) {
    const __mmask32 mask = first_words(dim - i);
    even = _mm512_dpwssd_epi32(even, _mm512_cvtepi8_epi16(_mm256_maskz_loadu_epi8(mask, row + i)),
                               _mm512_maskz_loadu_epi16(mask, query + i));
  }
  return _mm512_reduce_add_epi32(_mm512_add_epi32(even, odd));
}

// VPMULTISHIFTQB takes eight windows out of a qword; VPERMB puts the bytes that hold them there, in
// the order of level_numbers.
std::int32_t dot_windows(const std::uint8_t* code, std::size_t bits, const std::int16_t* levels,
                         const std::int16_t* query, std::size_t dim) noexcept {
  constexpr long long kOnes = 0x0101010101010101;
  const LevelBytes<8> low_byte(levels, 0);
  const LevelBytes<8> high_byte(levels, 8);
  const __m512i lanes = _mm512_set1_epi64(0x0706050403020100);
  const __m512i qwords =
      _mm512_setr_epi64(0, 4 * kOnes, kOnes, 5 * kOnes, 2 * kOnes, 6 * kOnes, 3 * kOnes, 7 * kOnes);
  __m512i order = lanes;
  __m512i shifts = _mm512_setzero_si512();
  for (std::size_t b = 0; b < bits; ++b) {
    order = _mm512_add_epi8(order, qwords);
    shifts = _mm512_add_epi8(shifts, lanes);
  }
  __m512i even = _mm512_setzero_si512();
  __m512i odd = _mm512_setzero_si512();
  for (std::size_t i = 0; i < dim; i += 64) {
    const std::size_t count = dim - i < 64 ? dim - i : 64;
    const __mmask64 present = (__mmask64{1} << ((count - 1) * bits + 15) / 8) - 1;
    const __m512i bytes = _mm512_maskz_loadu_epi8(present, code + i * bits / 8);
    const __m512i windows =
        _mm512_multishift_epi64_epi8(shifts, _mm512_permutexvar_epi8(order, bytes));
    const __m512i low = low_byte(windows);
    const __m512i high = high_byte(windows);
    const __m512i words = _mm512_maskz_loadu_epi16(first_words(count), query + i);
    const __m512i next_words =
        _mm512_maskz_loadu_epi16(count > 32 ? first_words(count - 32) : 0, query + i + 32);
    even = _mm512_dpwssd_epi32(even, _mm512_unpacklo_epi8(low, high), words);
    odd = _mm512_dpwssd_epi32(odd, _mm512_unpackhi_epi8(low, high), next_words);
  }
  return _mm512_reduce_add_epi32(_mm512_add_epi32(even, odd));
}

}  // namespace

void install_avx512vnni(Kernels& kernels) noexcept {
  kernels.scan = scan;
  kernels.dot_planes = dot_planes;
  kernels.dot_bytes = dot_bytes;
  kernels.dot_windows = dot_windows;
  install_avx512vnni_e8(kernels);
  install_avx512vnni_panels(kernels);
}

}  // namespace obliq

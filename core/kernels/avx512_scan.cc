// AVX-512: the LUT of a query and the scan of sign blocks with it.
#include <immintrin.h>

#include "core/kernels/avx512_block.h"
#include "core/kernels/kernels.h"

namespace obliq {
namespace {

// One dim of each group, in every lane of the group's 128 bits, negated where `negative` is set.
template <int which>
__m512 signed_dim(__m512 query, __m512i negative) noexcept {
  const __m512i spread = _mm512_castps_si512(_mm512_permute_ps(query, which * 0x55));
  return _mm512_castsi512_ps(_mm512_xor_si512(spread, negative));
}

struct LutRule {
  __m512 inv_step;
  __m512 offset;
  __m512 max_value;

  // Negative values stay: the packing to unsigned bytes lifts them to 0.
  __m512i operator()(__m512 t) const noexcept {
    const __m512 value = _mm512_add_ps(_mm512_mul_ps(t, inv_step), offset);
    return _mm512_cvtps_epi32(_mm512_min_ps(value, max_value));
  }
};

// Four groups per step, one in each 128 bits: pair[m % 4] + other_pair[m / 4] for m = 0..15.
void build_lut(const float* query, std::size_t dim, float inv_step, float offset, int max_value,
               std::uint8_t* lut) noexcept {
  const int minus = static_cast<int>(0x80000000U);
  const __m512i even_minus = _mm512_broadcast_i32x4(_mm_setr_epi32(minus, 0, minus, 0));
  const __m512i low_minus = _mm512_broadcast_i32x4(_mm_setr_epi32(minus, minus, 0, 0));
  const LutRule rule = {_mm512_set1_ps(inv_step), _mm512_set1_ps(offset),
                        _mm512_set1_ps(static_cast<float>(max_value))};
  for (std::size_t i = 0; i < dim; i += 16) {
    const std::size_t left = dim - i;
    const auto dims = static_cast<__mmask16>(left >= 16 ? 0xFFFFU : (1U << left) - 1U);
    const __m512 q = _mm512_maskz_loadu_ps(dims, query + i);
    const __m512 pair = _mm512_add_ps(signed_dim<0>(q, even_minus), signed_dim<1>(q, low_minus));
    const __m512 other_pair =
        _mm512_add_ps(signed_dim<2>(q, even_minus), signed_dim<3>(q, low_minus));
    const __m512i words_0_7 =
        _mm512_packs_epi32(rule(_mm512_add_ps(pair, _mm512_permute_ps(other_pair, 0x00))),
                           rule(_mm512_add_ps(pair, _mm512_permute_ps(other_pair, 0x55))));
    const __m512i words_8_15 =
        _mm512_packs_epi32(rule(_mm512_add_ps(pair, _mm512_permute_ps(other_pair, 0xAA))),
                           rule(_mm512_add_ps(pair, _mm512_permute_ps(other_pair, 0xFF))));
    const std::size_t bytes = 16 * sign_groups(left);
    const __mmask64 written = bytes >= 64 ? ~__mmask64{0} : (__mmask64{1} << bytes) - 1;
    _mm512_mask_storeu_epi8(lut + 4 * i, written, _mm512_packus_epi16(words_0_7, words_8_15));
  }
}

std::size_t scan(const std::uint8_t* lut, std::size_t dim, const ScanList& list, float threshold,
                 std::uint32_t* entries, float* bounds) noexcept {
  return scan_blocks(lut, dim, list, threshold, entries, bounds, [](__m512i codes) {
    return _mm512_and_si512(_mm512_srli_epi16(codes, 4), _mm512_set1_epi8(15));
  });
}

std::size_t select_below(const float* values, std::size_t n, float limit,
                         std::uint32_t* out) noexcept {
  const __m512 limits = _mm512_set1_ps(limit);
  __m512i places = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  std::size_t found = 0;
  for (std::size_t i = 0; i < n; i += 16) {
    const auto present = static_cast<__mmask16>(n - i >= 16 ? 0xFFFFU : (1U << (n - i)) - 1U);
    const __m512 some = _mm512_maskz_loadu_ps(present, values + i);
    const __mmask16 below = _mm512_mask_cmp_ps_mask(present, some, limits, _CMP_LE_OQ);
    _mm512_storeu_si512(out + found, _mm512_maskz_compress_epi32(below, places));
    found += static_cast<std::size_t>(__builtin_popcount(below));
    places = _mm512_add_epi32(places, _mm512_set1_epi32(16));
  }
  return found;
}

}  // namespace

void install_avx512_scan(Kernels& kernels) noexcept {
  kernels.build_lut = build_lut;
  kernels.scan = scan;
  kernels.select_below = select_below;
}

}  // namespace obliq

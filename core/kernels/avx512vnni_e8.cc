// AVX-512 of Ice Lake and later: nested E8 codes, 64 lattice blocks per pass (avx_e8.h).
// VBMI picks the bytes of a field out of a whole group, and masked loads end where the code does.
#include <immintrin.h>

#include "core/kernels/avx_e8.h"
#include "core/kernels/kernels.h"

namespace obliq {
namespace {

// The bytes of a group of 16 blocks.
struct Group {
  Group(const std::uint8_t* from, std::size_t available) noexcept
      : bytes(_mm512_maskz_loadu_epi8(
            available >= 64 ? ~__mmask64{0} : (__mmask64{1} << available) - 1, from)) {}

  __m512i bytes;
};

// Eight fields of a group from number `first` on: 0, 4 | 1, 5 | 2, 6 | 3, 7.
class Fields {
 public:
  Fields(std::uint32_t bits, std::uint32_t first) noexcept {
    const __m512i field = _mm512_add_epi64(_mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7), wide(first));
    const __m512i bit = _mm512_mul_epu32(field, wide(bits));
    const __m512i lowest = _mm512_broadcast_i32x4(_mm_set_epi64x(0x0808080808080808, 0));
    const __m512i from = _mm512_shuffle_epi8(_mm512_srli_epi64(bit, 3), lowest);
    bytes_ = _mm512_add_epi8(from, wide(0x0706050403020100));
    shifts_ = _mm512_and_si512(bit, wide(7));
    mask_ = wide((std::uint64_t{1} << bits) - 1);
  }

  __m512i operator()(const Group& group) const noexcept {
    const __m512i windows = _mm512_permutexvar_epi8(bytes_, group.bytes);
    return _mm512_and_si512(_mm512_srlv_epi64(windows, shifts_), mask_);
  }

 private:
  static __m512i wide(std::uint64_t value) noexcept {
    return _mm512_set1_epi64(static_cast<long long>(value));
  }

  __m512i bytes_;
  __m512i shifts_;
  __m512i mask_;
};

struct Avx512 {
  using Bytes = __m512i;
  using Mask = __mmask64;
  using Group = obliq::Group;
  using Fields = obliq::Fields;
  static constexpr std::size_t kParts = 4;

  static Bytes all(int value) noexcept { return _mm512_set1_epi8(static_cast<char>(value)); }
  static Bytes all16(std::uint32_t value) noexcept {
    return _mm512_set1_epi16(static_cast<short>(value));
  }
  static Bytes all64(std::uint64_t value) noexcept {
    return _mm512_set1_epi64(static_cast<long long>(value));
  }
  static Bytes plus(Bytes a, Bytes b) noexcept { return _mm512_add_epi8(a, b); }
  static Bytes plus16(Bytes a, Bytes b) noexcept { return _mm512_add_epi16(a, b); }
  static Bytes plus32(Bytes a, Bytes b) noexcept { return _mm512_add_epi32(a, b); }
  static Bytes minus(Bytes a, Bytes b) noexcept { return _mm512_sub_epi8(a, b); }
  static Bytes minus32(Bytes a, Bytes b) noexcept { return _mm512_sub_epi32(a, b); }
  static Bytes both(Bytes a, Bytes b) noexcept { return _mm512_and_si512(a, b); }
  static Bytes either(Bytes a, Bytes b) noexcept { return _mm512_or_si512(a, b); }
  static Bytes differing(Bytes a, Bytes b) noexcept { return _mm512_xor_si512(a, b); }
  static Bytes size(Bytes a) noexcept { return _mm512_abs_epi8(a); }
  static Bytes lesser(Bytes a, Bytes b) noexcept { return _mm512_min_epu8(a, b); }
  static Bytes greater(Bytes a, Bytes b) noexcept { return _mm512_max_epu8(a, b); }
  static Bytes lesser32(Bytes a, Bytes b) noexcept { return _mm512_min_epu32(a, b); }
  static Bytes times_8(Bytes a) noexcept { return _mm512_slli_epi16(a, 3); }  // a <= 16
  static Bytes by_4(Bytes a) noexcept { return _mm512_srli_epi16(a, 2); }     // low six bits
  static Bytes shift16(Bytes a, std::uint32_t n) noexcept {
    return _mm512_srl_epi16(a, _mm_cvtsi32_si128(static_cast<int>(n)));
  }
  static Bytes shift64(Bytes a, std::uint32_t n) noexcept {
    return _mm512_srl_epi64(a, _mm_cvtsi32_si128(static_cast<int>(n)));
  }
  static Bytes wide_product(Bytes a, Bytes b) noexcept { return _mm512_mul_epu32(a, b); }
  static Bytes high_product(Bytes a, Bytes b) noexcept { return _mm512_mulhi_epu16(a, b); }
  static Bytes low_product(Bytes a, Bytes b) noexcept { return _mm512_mullo_epi16(a, b); }
  static Bytes high_product_signed(Bytes a, Bytes b) noexcept { return _mm512_mulhi_epi16(a, b); }
  static Bytes pair_products(Bytes a, Bytes b) noexcept { return _mm512_madd_epi16(a, b); }
  static Bytes low8(Bytes a, Bytes b) noexcept { return _mm512_unpacklo_epi8(a, b); }
  static Bytes high8(Bytes a, Bytes b) noexcept { return _mm512_unpackhi_epi8(a, b); }
  static Bytes low16(Bytes a, Bytes b) noexcept { return _mm512_unpacklo_epi16(a, b); }
  static Bytes high16(Bytes a, Bytes b) noexcept { return _mm512_unpackhi_epi16(a, b); }
  static Bytes low32(Bytes a, Bytes b) noexcept { return _mm512_unpacklo_epi32(a, b); }
  static Bytes high32(Bytes a, Bytes b) noexcept { return _mm512_unpackhi_epi32(a, b); }
  static Bytes low64(Bytes a, Bytes b) noexcept { return _mm512_unpacklo_epi64(a, b); }
  static Bytes high64(Bytes a, Bytes b) noexcept { return _mm512_unpackhi_epi64(a, b); }
  static Bytes narrow32(Bytes a, Bytes b) noexcept { return _mm512_packus_epi32(a, b); }
  static Bytes narrow16(Bytes a, Bytes b) noexcept { return _mm512_packus_epi16(a, b); }
  static Bytes shuffle(Bytes a, Bytes b) noexcept { return _mm512_shuffle_epi8(a, b); }
  static Bytes even_dwords(Bytes a, Bytes b) noexcept {
    return _mm512_castps_si512(
        _mm512_shuffle_ps(_mm512_castsi512_ps(a), _mm512_castsi512_ps(b), 0x88));
  }
  static Bytes every_4th(Bytes a) noexcept {
    return shuffle(a, _mm512_broadcast_i32x4(
                          _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15)));
  }
  static Mask above(Bytes a, Bytes b) noexcept { return _mm512_cmpgt_epi8_mask(a, b); }
  static Mask equal(Bytes a, Bytes b) noexcept { return _mm512_cmpeq_epi8_mask(a, b); }
  static Mask negative(Bytes a) noexcept { return _mm512_movepi8_mask(a); }
  static Mask not_equal(Mask a, Mask b) noexcept { return a ^ b; }
  static Bytes where(Mask m, Bytes a) noexcept { return _mm512_maskz_mov_epi8(m, a); }
  static Bytes choose(Mask m, Bytes a, Bytes b) noexcept { return _mm512_mask_mov_epi8(b, m, a); }
  // g + shift where g < 0, else g - shift.
  static Bytes plus_against_sign(Bytes g, Bytes shift) noexcept {
    return _mm512_mask_add_epi8(minus(g, shift), negative(g), g, shift);
  }

  // `available` words or, if fewer than a register has, those and zeros.
  static Bytes load_words(const std::int16_t* words, std::size_t available) noexcept {
    const __mmask32 mask = available >= 32 ? ~__mmask32{0} : (__mmask32{1} << available) - 1;
    return _mm512_maskz_loadu_epi16(mask, words);
  }

  // The scales of a group, in the order of its labels, in dwords.
  static Bytes scales_of(const E8Shape& shape, const std::uint8_t* bytes,
                         std::size_t available) noexcept {
    const Group group(bytes, available);
    const Bytes numbers = even_dwords(Fields(shape.scale_bits, 0)(group),
                                      Fields(shape.scale_bits, 2 * kParts)(group));
    const auto* scales = reinterpret_cast<const __m256i*>(shape.scales);
    return _mm512_permutexvar_epi32(numbers, _mm512_castsi256_si512(_mm256_loadu_si256(scales)));
  }

  static std::int32_t sum32(Bytes a) noexcept { return _mm512_reduce_add_epi32(a); }
};

std::int32_t dot_e8(const std::uint8_t* code, const E8Shape& shape, const std::int16_t* query,
                    std::size_t dim) noexcept {
  return dot_e8_of<Avx512>(code, shape, query, dim);
}

}  // namespace

void install_avx512vnni_e8(Kernels& kernels) noexcept { kernels.dot_e8 = dot_e8; }

}  // namespace obliq

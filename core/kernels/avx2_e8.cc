// AVX2: nested E8 codes, 32 lattice blocks per pass (avx_e8.h).
#include <immintrin.h>

#include "core/kernels/avx_e8.h"
#include "core/kernels/kernels.h"

namespace obliq {
namespace {

// The bytes of a group of eight blocks, and enough behind them to load.
class Group {
 public:
  Group(const std::uint8_t* bytes, std::size_t available) noexcept : bytes_(bytes) {
    if (available >= kRead) return;
    for (std::uint8_t& byte : copy_) byte = 0;
    __builtin_memcpy(copy_, bytes, available);
    bytes_ = copy_;
  }
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  __m128i operator[](std::size_t at) const noexcept {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes_ + at));
  }

 private:
  static constexpr std::size_t kRead = 5 * 32 / 8 + 16;

  const std::uint8_t* bytes_;
  std::uint8_t copy_[kRead];
};

// Four fields of a group from number `first` on: 0, 2 | 1, 3. Those of a part lie in the 16 bytes
// from the byte of the first.
class Fields {
 public:
  Fields(std::uint32_t bits, std::uint32_t first) noexcept
      : low_(first * bits / 8), high_((first + 1) * bits / 8) {
    const __m256i field = _mm256_add_epi64(_mm256_setr_epi64x(0, 2, 1, 3), wide(first));
    const __m256i bit = _mm256_mul_epu32(field, wide(bits));
    const __m256i byte = _mm256_srli_epi64(bit, 3);
    const __m256i within = _mm256_sub_epi64(byte, _mm256_unpacklo_epi64(byte, byte));
    const __m256i lowest = _mm256_set_epi64x(0x0808080808080808, 0, 0x0808080808080808, 0);
    bytes_ = _mm256_add_epi8(_mm256_shuffle_epi8(within, lowest), wide(0x0706050403020100));
    shifts_ = _mm256_and_si256(bit, wide(7));
    mask_ = wide((std::uint64_t{1} << bits) - 1);
  }

  __m256i operator()(const Group& group) const noexcept {
    const __m256i parts =
        _mm256_inserti128_si256(_mm256_castsi128_si256(group[low_]), group[high_], 1);
    return _mm256_and_si256(_mm256_srlv_epi64(_mm256_shuffle_epi8(parts, bytes_), shifts_), mask_);
  }

 private:
  static __m256i wide(std::uint64_t value) noexcept {
    return _mm256_set1_epi64x(static_cast<long long>(value));
  }

  std::size_t low_;
  std::size_t high_;
  __m256i bytes_;
  __m256i shifts_;
  __m256i mask_;
};

struct Avx2 {
  using Bytes = __m256i;
  using Mask = __m256i;
  using Group = obliq::Group;
  using Fields = obliq::Fields;
  static constexpr std::size_t kParts = 2;

  static Bytes all(int value) noexcept { return _mm256_set1_epi8(static_cast<char>(value)); }
  static Bytes all16(std::uint32_t value) noexcept {
    return _mm256_set1_epi16(static_cast<short>(value));
  }
  static Bytes all64(std::uint64_t value) noexcept {
    return _mm256_set1_epi64x(static_cast<long long>(value));
  }
  static Bytes plus(Bytes a, Bytes b) noexcept { return _mm256_add_epi8(a, b); }
  static Bytes plus16(Bytes a, Bytes b) noexcept { return _mm256_add_epi16(a, b); }
  static Bytes plus32(Bytes a, Bytes b) noexcept { return _mm256_add_epi32(a, b); }
  static Bytes minus(Bytes a, Bytes b) noexcept { return _mm256_sub_epi8(a, b); }
  static Bytes minus32(Bytes a, Bytes b) noexcept { return _mm256_sub_epi32(a, b); }
  static Bytes both(Bytes a, Bytes b) noexcept { return _mm256_and_si256(a, b); }
  static Bytes either(Bytes a, Bytes b) noexcept { return _mm256_or_si256(a, b); }
  static Bytes differing(Bytes a, Bytes b) noexcept { return _mm256_xor_si256(a, b); }
  static Bytes size(Bytes a) noexcept { return _mm256_abs_epi8(a); }
  static Bytes lesser(Bytes a, Bytes b) noexcept { return _mm256_min_epu8(a, b); }
  static Bytes greater(Bytes a, Bytes b) noexcept { return _mm256_max_epu8(a, b); }
  static Bytes lesser32(Bytes a, Bytes b) noexcept { return _mm256_min_epu32(a, b); }
  static Bytes times_8(Bytes a) noexcept { return _mm256_slli_epi16(a, 3); }  // a <= 16
  static Bytes by_4(Bytes a) noexcept { return _mm256_srli_epi16(a, 2); }     // low six bits
  static Bytes shift16(Bytes a, std::uint32_t n) noexcept {
    return _mm256_srl_epi16(a, _mm_cvtsi32_si128(static_cast<int>(n)));
  }
  static Bytes shift64(Bytes a, std::uint32_t n) noexcept {
    return _mm256_srl_epi64(a, _mm_cvtsi32_si128(static_cast<int>(n)));
  }
  static Bytes wide_product(Bytes a, Bytes b) noexcept { return _mm256_mul_epu32(a, b); }
  static Bytes high_product(Bytes a, Bytes b) noexcept { return _mm256_mulhi_epu16(a, b); }
  static Bytes low_product(Bytes a, Bytes b) noexcept { return _mm256_mullo_epi16(a, b); }
  static Bytes high_product_signed(Bytes a, Bytes b) noexcept { return _mm256_mulhi_epi16(a, b); }
  static Bytes pair_products(Bytes a, Bytes b) noexcept { return _mm256_madd_epi16(a, b); }
  static Bytes low8(Bytes a, Bytes b) noexcept { return _mm256_unpacklo_epi8(a, b); }
  static Bytes high8(Bytes a, Bytes b) noexcept { return _mm256_unpackhi_epi8(a, b); }
  static Bytes low16(Bytes a, Bytes b) noexcept { return _mm256_unpacklo_epi16(a, b); }
  static Bytes high16(Bytes a, Bytes b) noexcept { return _mm256_unpackhi_epi16(a, b); }
  static Bytes low32(Bytes a, Bytes b) noexcept { return _mm256_unpacklo_epi32(a, b); }
  static Bytes high32(Bytes a, Bytes b) noexcept { return _mm256_unpackhi_epi32(a, b); }
  static Bytes low64(Bytes a, Bytes b) noexcept { return _mm256_unpacklo_epi64(a, b); }
  static Bytes high64(Bytes a, Bytes b) noexcept { return _mm256_unpackhi_epi64(a, b); }
  static Bytes narrow32(Bytes a, Bytes b) noexcept { return _mm256_packus_epi32(a, b); }
  static Bytes narrow16(Bytes a, Bytes b) noexcept { return _mm256_packus_epi16(a, b); }
  static Bytes shuffle(Bytes a, Bytes b) noexcept { return _mm256_shuffle_epi8(a, b); }
  static Bytes even_dwords(Bytes a, Bytes b) noexcept {
    return _mm256_castps_si256(
        _mm256_shuffle_ps(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b), 0x88));
  }
  static Bytes every_4th(Bytes a) noexcept {
    return shuffle(a, _mm256_broadcastsi128_si256(
                          _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15)));
  }
  static Mask above(Bytes a, Bytes b) noexcept { return _mm256_cmpgt_epi8(a, b); }
  static Mask equal(Bytes a, Bytes b) noexcept { return _mm256_cmpeq_epi8(a, b); }
  static Mask negative(Bytes a) noexcept { return above(all(0), a); }
  static Mask not_equal(Mask a, Mask b) noexcept { return _mm256_xor_si256(a, b); }
  static Bytes where(Mask m, Bytes a) noexcept { return _mm256_and_si256(m, a); }
  static Bytes choose(Mask m, Bytes a, Bytes b) noexcept { return _mm256_blendv_epi8(b, a, m); }
  // g + shift where g < 0, else g - shift.
  static Bytes plus_against_sign(Bytes g, Bytes shift) noexcept {
    const Bytes against = either(differing(g, all(-1)), all(1));
    return plus(g, _mm256_sign_epi8(shift, against));
  }

  // `available` words or, if fewer than a register has, those and zeros.
  static Bytes load_words(const std::int16_t* words, std::size_t available) noexcept {
    if (available >= 16) return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(words));
    std::int16_t rest[16] = {};
    for (std::size_t i = 0; i < available; ++i) rest[i] = words[i];
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(rest));
  }

  // The scales of a group, in the order of its labels, in dwords.
  static Bytes scales_of(const E8Shape& shape, const std::uint8_t* bytes,
                         std::size_t available) noexcept {
    std::uint32_t fields = 0;
    if (available >= sizeof fields) {
      __builtin_memcpy(&fields, bytes, sizeof fields);
    } else {
      for (std::size_t i = 0; i < available; ++i) fields |= std::uint32_t{bytes[i]} << 8 * i;
    }
    const auto bits = static_cast<int>(shape.scale_bits);
    const Bytes shifts =
        _mm256_mullo_epi32(_mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7), _mm256_set1_epi32(bits));
    const Bytes shifted = _mm256_srlv_epi32(_mm256_set1_epi32(static_cast<int>(fields)), shifts);
    const Bytes numbers = both(shifted, _mm256_set1_epi32((1 << bits) - 1));
    const auto* scales = reinterpret_cast<const __m256i*>(shape.scales);
    return _mm256_permutevar8x32_epi32(_mm256_loadu_si256(scales), numbers);
  }

  static std::int32_t sum32(Bytes a) noexcept {
    __m128i four = _mm_add_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
    four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4E));
    return _mm_cvtsi128_si32(_mm_add_epi32(four, _mm_shuffle_epi32(four, 0xB1)));
  }
};

std::int32_t dot_e8(const std::uint8_t* code, const E8Shape& shape, const std::int16_t* query,
                    std::size_t dim) noexcept {
  return dot_e8_of<Avx2>(code, shape, query, dim);
}

}  // namespace

void install_avx2_e8(Kernels& kernels) noexcept { kernels.dot_e8 = dot_e8; }

}  // namespace obliq

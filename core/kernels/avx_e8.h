// Nested E8 codes, many blocks together: dot_e8 of AVX2 and AVX-512. A register set `V` of an
// ISA gives its types and the operations used here. It has `parts` of 128 bits; block parts * k +
// h of a pass is byte k of part h, so that unpacking inside the parts brings neighbours back
// together: `parts` blocks fill a register of words, in the order of the query.
//
// Labels become digits by q^4, q^2 and q (kernels.h: E8Shape). All steps of scalar_e8.cc fit signed
// bytes, since q <= 16:
//
//     g_i in [-16, 16)    what the odd coset leaves; a = |g|
//     key_i = 8 a_i + 7 - i <= 135, unsigned: the order of sizes, of equal ones the first largest
//     4q - sum a + 2 min a - 2 (q - max a) in [-96, 96]    modulo 256 on the way
//
// A level is f * scale = (256 f * 256 scale) / 2^16, the high half of a product of words.
// Internal linkage, as everything in a kernel file.
#pragma once

#include "core/kernels/kernels.h"

namespace obliq {
namespace {

inline constexpr int kNoKey = 255;

// g and the sum of what lies in the coset's box, from the digits of the labels. Returns the lanes
// where the odd coset flips.
template <class V>
typename V::Mask box_of(const typename V::Bytes (&digit)[8], int q, typename V::Bytes (&g)[8]) {
  using Bytes = typename V::Bytes;
  const Bytes parity = V::both(digit[7], V::all(1));
  const Bytes base = V::minus(parity, V::all(q));
  Bytes sum = parity;
#pragma GCC unroll 8
  for (std::size_t i = 1; i < 7; ++i) {
    sum = V::plus(sum, digit[i]);
    g[i] = V::plus(V::plus(digit[i], digit[i]), base);
  }
  g[7] = V::minus(digit[7], V::all(q));
  sum = V::plus(V::plus(sum, sum), digit[7]);  // modulo 4, where 6 parities are 2
  const Bytes rest = V::both(V::minus(V::all(0), sum), V::all(3));
  const Bytes twice = V::plus(digit[0], digit[0]);
  const Bytes first = V::plus(V::plus(twice, twice), rest);
  const typename V::Mask odd_flips = V::above(first, V::all(2 * q - 1));
  g[0] = V::minus(first, V::choose(odd_flips, V::all(3 * q), V::all(q)));
  return odd_flips;
}

// The codewords of labels with these digits.
template <class V>
[[gnu::always_inline]] inline void codewords(const typename V::Bytes (&digit)[8], int q,
                                             typename V::Bytes (&f)[8]) {
  using Bytes = typename V::Bytes;
  using Mask = typename V::Mask;
  Bytes g[8];
  const Mask odd_flips = box_of<V>(digit, q, g);
  Bytes key[8];
  Bytes size = V::size(g[0]);
  Bytes signs = g[0];
  key[0] = V::either(V::times_8(size), V::all(7));
  Bytes smallest = key[0];
  Bytes largest = key[0];
#pragma GCC unroll 8
  for (std::size_t i = 1; i < 8; ++i) {
    const Bytes a = V::size(g[i]);
    key[i] = V::either(V::times_8(a), V::all(7 - static_cast<int>(i)));
    size = V::plus(size, a);
    signs = V::differing(signs, g[i]);
    smallest = V::lesser(smallest, key[i]);
    largest = V::greater(largest, key[i]);
  }
  const auto twice_size = [](Bytes k) { return V::both(V::by_4(k), V::all(0x3E)); };
  const Mask even_flips = V::not_equal(V::negative(signs), odd_flips);
  const Bytes for_even = V::where(even_flips, twice_size(smallest));
  const Bytes for_odd = V::where(odd_flips, V::minus(V::all(2 * q), twice_size(largest)));
  const Mask odd =
      V::above(V::minus(V::plus(V::minus(V::all(4 * q), size), for_even), for_odd), V::all(0));

  // f = g + shift against the sign of g: 0, or 2q where flipped, of the odd coset; q, or -q where
  // flipped, of the even one.
  const Bytes shift = V::choose(odd, V::all(0), V::all(q));
  const Bytes flipped = V::choose(odd, V::all(2 * q), V::all(-q));
  const Bytes flip = V::choose(odd, V::choose(odd_flips, largest, V::all(kNoKey)),
                               V::choose(even_flips, smallest, V::all(kNoKey)));
#pragma GCC unroll 8
  for (std::size_t i = 0; i < 8; ++i) {
    f[i] = V::plus_against_sign(g[i], V::choose(V::equal(key[i], flip), flipped, shift));
  }
}

// Digits of labels. A number a + b m that is to become a + b 2^w gains b (2^w - m).
template <class V>
class E8Digits {
 public:
  using Bytes = typename V::Bytes;

  explicit E8Digits(const E8Shape& shape) noexcept
      : first_(shape.index_bits, 0),
        second_(shape.index_bits, 2 * V::kParts),
        by_fourth_(V::all64(shape.by_fourth)),
        by_square_(V::all16(shape.by_square)),
        by_q_(V::all16(shape.by_q)),
        past_square_(V::all16(0x100 - shape.q * shape.q)),
        past_q_(V::all16(0x100 - shape.q)),
        fourth_shift_(32 + shape.fourth_shift),
        square_shift_(shape.square_shift) {
    const std::uint32_t fourth = shape.q * shape.q * shape.q * shape.q;
    labels_ = V::all64(fourth * fourth);  // 16^8 is 0 here, and nothing to take off
    past_fourth_ = V::all64(0x10000 - fourth);
  }

  // Of a group of 4 * parts blocks, number parts * j + h in dword j of part h: digits 0, 1, 4, 5 in
  // `outer`, 2, 3, 6, 7 in `inner`, the same digit of four blocks in a dword.
  void read(const typename V::Group& group, Bytes& outer, Bytes& inner) const noexcept {
    const Bytes halves = V::even_dwords(halves_of(first_(group)), halves_of(second_(group)));
    const Bytes tops = V::shift16(V::high_product(halves, by_square_), square_shift_);
    const Bytes pairs = V::plus16(halves, V::low_product(tops, past_square_));
    outer = of_pairs(V::both(pairs, V::all16(255)));
    inner = of_pairs(V::shift16(pairs, 8));
  }

 private:
  // Labels modulo q^8, the four low digits in the low 16 bits, the four high ones in the next.
  Bytes halves_of(Bytes labels) const noexcept {
    const Bytes valid = V::lesser32(labels, V::minus32(labels, labels_));
    const Bytes tops = V::shift64(V::wide_product(valid, by_fourth_), fourth_shift_);
    return V::plus32(valid, V::wide_product(tops, past_fourth_));
  }
  Bytes of_pairs(Bytes pairs) const noexcept {
    const Bytes tops = V::high_product(pairs, by_q_);
    return V::every_4th(V::plus16(pairs, V::low_product(tops, past_q_)));
  }

  typename V::Fields first_;
  typename V::Fields second_;
  Bytes labels_, by_fourth_, by_square_, by_q_;
  Bytes past_fourth_, past_square_, past_q_;
  std::uint32_t fourth_shift_, square_shift_;
};

// Dword n of the four registers, side by side, in the n-th result.
template <class V, class Bytes = typename V::Bytes>
void transpose(const Bytes (&in)[4], Bytes& a, Bytes& b, Bytes& c, Bytes& d) noexcept {
  const Bytes low01 = V::low32(in[0], in[1]);
  const Bytes low23 = V::low32(in[2], in[3]);
  const Bytes high01 = V::high32(in[0], in[1]);
  const Bytes high23 = V::high32(in[2], in[3]);
  a = V::low64(low01, low23);
  b = V::high64(low01, low23);
  c = V::low64(high01, high23);
  d = V::high64(high01, high23);
}

// From registers of a coordinate to registers of blocks: number r has bytes 2r and 2r + 1 of each
// part, eight coordinates of one after eight of the other.
template <class V, class Bytes = typename V::Bytes>
void to_blocks(const Bytes (&f)[8], Bytes (&block)[8]) noexcept {
  Bytes pairs[2][4];
#pragma GCC unroll 4
  for (std::size_t j = 0; j < 4; ++j) {
    pairs[0][j] = V::low8(f[2 * j], f[2 * j + 1]);
    pairs[1][j] = V::high8(f[2 * j], f[2 * j + 1]);
  }
#pragma GCC unroll 2
  for (std::size_t half = 0; half < 2; ++half) {
    const auto& p = pairs[half];
    const Bytes low[2] = {V::low16(p[0], p[1]), V::low16(p[2], p[3])};
    const Bytes high[2] = {V::high16(p[0], p[1]), V::high16(p[2], p[3])};
    block[4 * half] = V::low32(low[0], low[1]);
    block[4 * half + 1] = V::high32(low[0], low[1]);
    block[4 * half + 2] = V::low32(high[0], high[1]);
    block[4 * half + 3] = V::high32(high[0], high[1]);
  }
}

// Adds the products of `count` words of the query with the blocks of a pass to `sum`.
template <class V, class Bytes = typename V::Bytes>
Bytes block_products(const Bytes (&block)[8], Bytes scales, const std::int16_t* query,
                     std::size_t count, Bytes sum) noexcept {
  constexpr std::size_t kWords = 8 * V::kParts;
  const auto add = [&](Bytes words_256, int at, std::size_t from) {
    // Words of 256 * the scale in byte `at` of the part; of byte 0x80 the shuffle makes 0.
    const Bytes scale_256 =
        V::shuffle(scales, V::all16(static_cast<std::uint32_t>(at << 8 | 0x80)));
    const Bytes levels = V::high_product_signed(words_256, scale_256);
    sum = V::plus32(sum, V::pair_products(levels, V::load_words(query + from, count - from)));
  };
#pragma GCC unroll 8
  for (std::size_t r = 0; r < 8; ++r) {
    const std::size_t from = 2 * r * kWords;
    if (from >= count) break;
    add(V::low8(V::all(0), block[r]), static_cast<int>(2 * r), from);
    if (from + kWords >= count) break;
    add(V::high8(V::all(0), block[r]), static_cast<int>(2 * r + 1), from + kWords);
  }
  return sum;
}

template <class V>
[[gnu::always_inline]] inline std::int32_t dot_e8_of(const std::uint8_t* code, const E8Shape& shape,
                                                     const std::int16_t* query,
                                                     std::size_t dim) noexcept {
  using Bytes = typename V::Bytes;
  constexpr std::size_t kGroup = 4 * V::kParts;  // blocks
  const std::size_t blocks = (dim + 7) / 8;
  const std::size_t index_bytes = (blocks * shape.index_bits + 7) / 8;
  const std::size_t bytes = index_bytes + (blocks * shape.scale_bits + 7) / 8;
  const E8Digits<V> digits(shape);
  Bytes sum = V::all(0);
  for (std::size_t b = 0; b < blocks; b += 4 * kGroup) {
    Bytes outer[4];
    Bytes inner[4];
    Bytes scales[4];
#pragma GCC unroll 4
    for (std::size_t g = 0; g < 4; ++g) {
      outer[g] = inner[g] = scales[g] = V::all(0);
      const std::size_t first = b + g * kGroup;
      if (first >= blocks) continue;
      const std::size_t at = first / 8 * shape.index_bits;
      digits.read(typename V::Group(code + at, bytes - at), outer[g], inner[g]);
      const std::size_t scale_at = index_bytes + first / 8 * shape.scale_bits;
      scales[g] = V::scales_of(shape, code + scale_at, bytes - scale_at);
    }
    Bytes digit[8];
    transpose<V>(outer, digit[0], digit[1], digit[4], digit[5]);
    transpose<V>(inner, digit[2], digit[3], digit[6], digit[7]);
    Bytes f[8];
    codewords<V>(digit, static_cast<int>(shape.q), f);
    Bytes block[8];
    to_blocks<V>(f, block);
    const Bytes scale = V::narrow16(V::narrow32(scales[0], scales[1]),  //
                                    V::narrow32(scales[2], scales[3]));
    sum = block_products<V>(block, scale, query + 8 * b, dim - 8 * b, sum);
  }
  return V::sum32(sum);
}

}  // namespace
}  // namespace obliq

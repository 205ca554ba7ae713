// The definition of dot_e8: codewords of E8 modulo q, as quant/nested/lattice.h derives them, for
// the cosets of its coset(). There all coordinates but the first lie in [0, 2q), so that only the
// first can bring a whole period of 2q into the odd coset.
#include "core/kernels/kernels.h"

namespace obliq {
namespace {

std::uint32_t field(const std::uint8_t* stream, std::size_t at, std::uint32_t width) noexcept {
  std::uint64_t window = 0;
  const std::size_t end = (at + width + 7) / 8;
  for (std::size_t byte = end; byte > at / 8; --byte) window = window << 8 | stream[byte - 1];
  return static_cast<std::uint32_t>(window >> at % 8 & ((std::uint64_t{1} << width) - 1));
}

// f, from the digits of a label.
void codeword(const int* digit, int q, int* f) noexcept {
  int sum = digit[7];
  for (std::size_t i = 1; i < 7; ++i) {
    f[i] = 2 * digit[i] + digit[7] % 2 - q;
    sum += 2 * digit[i] + digit[7] % 2;
  }
  f[7] = digit[7] - q;
  const int first = 4 * digit[0] + (-sum & 3);
  const bool odd_flips = first >= 2 * q;
  f[0] = first - q - (odd_flips ? 2 * q : 0);

  int size = 0;
  bool even_flips = odd_flips;
  std::size_t smallest = 0;
  std::size_t largest = 0;
  int a[8];
  for (std::size_t i = 0; i < 8; ++i) {
    a[i] = f[i] < 0 ? -f[i] : f[i];
    size += a[i];
    even_flips ^= f[i] >= 0;
    if (a[i] <= a[smallest]) smallest = i;
    if (a[i] > a[largest]) largest = i;
  }
  const int even_minus_odd =
      4 * q - size + (even_flips ? 2 * a[smallest] : 0) - (odd_flips ? 2 * (q - a[largest]) : 0);
  if (even_minus_odd > 0) {
    if (odd_flips) f[largest] += f[largest] < 0 ? 2 * q : -2 * q;
    return;
  }
  for (std::size_t i = 0; i < 8; ++i) {
    const bool up = (f[i] < 0) != (even_flips && i == smallest);
    f[i] += up ? q : -q;
  }
}

std::int32_t dot_e8(const std::uint8_t* code, const E8Shape& shape, const std::int16_t* query,
                    std::size_t dim) noexcept {
  const std::size_t blocks = (dim + 7) / 8;
  const std::uint8_t* scales = code + (blocks * shape.index_bits + 7) / 8;
  std::int32_t sum = 0;
  for (std::size_t b = 0; b < blocks; ++b) {
    std::uint32_t label = field(code, b * shape.index_bits, shape.index_bits);
    int digit[8];
    for (int& d : digit) {
      d = static_cast<int>(label % shape.q);
      label /= shape.q;
    }
    int f[8];
    codeword(digit, static_cast<int>(shape.q), f);
    const std::int32_t scale = shape.scales[field(scales, b * shape.scale_bits, shape.scale_bits)];
    for (std::size_t i = 0; i < 8 && 8 * b + i < dim; ++i) sum += f[i] * scale * query[8 * b + i];
  }
  return sum;
}

}  // namespace

void install_scalar_e8(Kernels& kernels) noexcept { kernels.dot_e8 = dot_e8; }

}  // namespace obliq

// Labels of the cosets Lambda / q*Lambda. The points of coset() fill a box with one point of each
// coset, so that the decoder's periods are 0 or 1 but for the first coordinate:
//
//     2*E8   y7 = c7, y1..6 = 2 c_i + c7%2, y0 = 4 c0 + w    in [0,q) x [0,2q)^6 x [0,4q)
//     D4     y1..3 = c_i, y0 = 2 c0 + w                      in [0,q)^3 x [0,2q)
//
// with w in [0,4), or [0,2), completing the sum to a multiple of 4, or of 2.
#include "quant/nested/lattice.h"

namespace obliq {
namespace {

std::uint8_t digit(std::int32_t value) { return static_cast<std::uint8_t>(value); }

std::int32_t modulo(std::int32_t y, std::int32_t m) { return y - m * floor_div(y, m); }

}  // namespace

void E8::coset(const std::uint8_t* label, std::int32_t /*q*/, std::int32_t* y) {
  y[7] = label[7];
  std::int32_t sum = y[7];
  for (std::size_t i = 1; i < 7; ++i) {
    y[i] = 2 * label[i] + label[7] % 2;
    sum += y[i];
  }
  y[0] = 4 * label[0] + modulo(-sum, 4);
}

// Takes off q (1,...,1) and 2q (e_i + e_0), both in 2q*E8, until the box is reached.
void E8::label(const std::int32_t* t, std::int32_t q, std::uint8_t* label) {
  const std::int32_t ones = floor_div(t[7], q) * q;
  label[7] = digit(t[7] - ones);
  std::int32_t first = t[0] - ones;
  for (std::size_t i = 1; i < 7; ++i) {
    const std::int32_t periods = floor_div(t[i] - ones, 2 * q);
    label[i] = digit((t[i] - ones - 2 * q * periods) / 2);
    first += 2 * q * periods;
  }
  label[0] = digit(modulo(first, 4 * q) / 4);
}

void D4::coset(const std::uint8_t* label, std::int32_t /*q*/, std::int32_t* y) {
  std::int32_t sum = 0;
  for (std::size_t i = 1; i < kDim; ++i) sum += y[i] = label[i];
  y[0] = 2 * label[0] + sum % 2;
}

void D4::label(const std::int32_t* t, std::int32_t q, std::uint8_t* label) {
  std::int32_t first = t[0];
  for (std::size_t i = 1; i < kDim; ++i) {
    const std::int32_t periods = floor_div(t[i], q);
    label[i] = digit(t[i] - q * periods);
    first += q * periods;
  }
  label[0] = digit(modulo(first, 2 * q) / 2);
}

void Z8::coset(const std::uint8_t* label, std::int32_t /*q*/, std::int32_t* y) {
  for (std::size_t i = 0; i < kDim; ++i) y[i] = label[i];
}

void Z8::label(const std::int32_t* t, std::int32_t q, std::uint8_t* label) {
  for (std::size_t i = 0; i < kDim; ++i) label[i] = digit(modulo(t[i], q));
}

}  // namespace obliq

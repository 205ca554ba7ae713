#include "index/coder.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "quant/half.h"
#include "quant/kernels/dispatch.h"

namespace obliq {
namespace {

// Rounds to the 11 bits that a half keeps, whatever the exponent, so that the bracket is computed
// with the factors that the row will hold.
float round_to_half_precision(float value) {
  std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  bits += 0xFFFU + (bits >> 13 & 1U);
  return std::bit_cast<float>(bits & ~0x1FFFU);
}

void store_half(float value, std::uint8_t* out) {
  const std::uint16_t half = float_to_half(value);
  std::memcpy(out, &half, sizeof half);
}

float load_half(const std::uint8_t* bytes) {
  std::uint16_t half = 0;
  std::memcpy(&half, bytes, sizeof half);
  return half_to_float(half);
}

// The smallest power of two >= value; 1 for 0. Kept inside the normal floats.
float power_of_two_above(float value) {
  if (value <= 0) return 1.0F;
  int exponent = 0;
  std::frexp(value, &exponent);
  return std::ldexp(1.0F, std::clamp(exponent, -125, 127));
}

// The signs of x, one bit a dimension.
void pack_signs(const std::vector<float>& x, std::uint8_t* signs) {
  std::memset(signs, 0, plane_bytes(x.size()));
  for (std::size_t i = 0; i < x.size(); ++i) {
    signs[i / 8] = static_cast<std::uint8_t>(signs[i / 8] | unsigned{x[i] >= 0} << (i % 8));
  }
}

}  // namespace

Coder::Coder(const Quantizer& quantizer, Metric metric)
    : quantizer_(quantizer),
      shape_(quantizer),
      metric_(metric),
      residual_(quantizer.dim()),
      decoded_(quantizer.dim()),
      code_(quantizer.layout().code_bytes) {}

float Coder::bracket(const float* x_hat, const float* c, float r2) const {
  const auto& kernel = kernels();
  const std::size_t dim = residual_.size();
  const float product = c == nullptr ? 0.0F : kernel.dot(x_hat, c, dim);
  if (metric_ != Metric::ip) return r2 + 2 * product;
  return product - (c == nullptr ? 0.0F : kernel.dot(residual_.data(), c, dim));
}

void Coder::sign_code(const float* c, const std::uint8_t* signs, CodedNumbers& numbers) {
  const std::size_t dim = residual_.size();
  for (std::size_t i = 0; i < dim; ++i) {
    decoded_[i] = (signs[i / 8] >> (i % 8) & 1) != 0 ? 1.0F : -1.0F;
  }
  const float l1 = kernels().dot(residual_.data(), decoded_.data(), dim);
  if (l1 <= 0) return;
  numbers.b = round_to_half_precision(numbers.r2 / l1);
  numbers.sine2 = std::max(0.0F, 1 - l1 * (l1 / numbers.r2) / static_cast<float>(dim));
  for (std::size_t i = 0; i < dim; ++i) decoded_[i] *= numbers.b;
  numbers.a = bracket(decoded_.data(), c, numbers.r2);
}

void Coder::row_code(const float* c, CodedNumbers& numbers) {
  quantizer_.encode(residual_.data(), code_.data(), numbers.factors);
  for (float& factor : numbers.factors) factor = round_to_half_precision(factor);
  quantizer_.decode(code_.data(), numbers.factors, decoded_.data());
  numbers.bracket = bracket(decoded_.data(), c, numbers.r2);
  const float length2 = kernels().dot(decoded_.data(), decoded_.data(), residual_.size());
  if (numbers.r2 > 0) numbers.tangent2 = std::max(0.0F, length2 / numbers.r2 - 1);
}

CodedNumbers Coder::encode(const float* x, const float* c, std::uint8_t* signs,
                           std::uint8_t* rest) {
  const std::size_t dim = residual_.size();
  for (std::size_t i = 0; i < dim; ++i) residual_[i] = x[i] - (c == nullptr ? 0.0F : c[i]);
  CodedNumbers numbers;
  numbers.r2 = kernels().dot(residual_.data(), residual_.data(), dim);
  row_code(c, numbers);
  if (shape_.leads_with_signs) {
    std::copy_n(code_.data(), plane_bytes(dim), signs);
  } else {
    pack_signs(residual_, signs);
  }
  sign_code(c, signs, numbers);
  std::copy_n(code_.data() + code_.size() - shape_.rest, shape_.rest, rest);
  return numbers;
}

void choose_units(std::span<const CodedNumbers> numbers, ListRecord& record) {
  float longest = 0;
  float bracket = 0;
  double sum = 0;
  for (const CodedNumbers& v : numbers) {
    longest = std::max(longest, std::sqrt(v.r2));
    bracket = std::max({bracket, std::abs(v.a), std::abs(v.bracket)});
    sum += v.r2;
  }
  record.scale = power_of_two_above(longest);
  record.a_scale = power_of_two_above(bracket);
  record.mean_r2 =
      numbers.empty() ? 0.0F : static_cast<float>(sum / static_cast<double>(numbers.size()));
}

void write_entry(const std::uint8_t* signs, const CodedNumbers& numbers, const ListRecord& record,
                 std::uint32_t row, std::size_t dim, std::uint64_t entry, std::uint8_t* blocks) {
  std::uint8_t* block = blocks + entry / kBlockEntries * block_bytes(dim);
  const std::size_t lane = entry % kBlockEntries;
  const std::size_t groups = sign_groups(dim);
  for (std::size_t g = 0; g < groups; ++g) {
    const unsigned bits = signs[g / 2] >> (4 * (g % 2)) & 15U;
    std::uint8_t& byte = block[16 * g + lane % 16];
    byte = static_cast<std::uint8_t>(byte | bits << (lane < 16 ? 0 : 4));
  }
  std::uint8_t* factors = block + 16 * groups;
  store_half(numbers.a / record.a_scale, factors + 2 * lane);
  store_half(numbers.b / record.scale, factors + 2 * kBlockEntries + 2 * lane);
  std::memcpy(factors + 4 * kBlockEntries + 4 * lane, &row, sizeof row);
}

void write_factors(const RowShape& shape, const CodedNumbers& numbers, const ListRecord& record,
                   std::uint8_t* row) {
  std::uint8_t* out = row + shape.rest;
  for (std::size_t f = 0; f < shape.factors; ++f, out += 2) {
    store_half(numbers.factors[f] / record.scale, out);
  }
  store_half(numbers.bracket / record.a_scale, out);
}

std::uint32_t entry_row(const std::uint8_t* blocks, std::size_t dim, std::uint64_t entry) {
  const std::uint8_t* block = blocks + entry / kBlockEntries * block_bytes(dim);
  const std::uint8_t* rows = block + 16 * sign_groups(dim) + 4 * kBlockEntries;
  std::uint32_t row = 0;
  std::memcpy(&row, rows + 4 * (entry % kBlockEntries), sizeof row);
  return row;
}

Factors read_factors(const RowShape& shape, const std::uint8_t* row, float scale) {
  Factors factors = {};
  for (std::size_t f = 0; f < shape.factors; ++f) {
    factors[f] = load_half(row + shape.rest + 2 * f) * scale;
  }
  return factors;
}

float read_bracket(const RowShape& shape, const std::uint8_t* row, float a_scale) {
  return load_half(row + shape.bytes() - 2) * a_scale;
}

}  // namespace obliq

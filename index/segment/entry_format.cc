// Offsets follow from dim alone. fp16 numbers are copied by bytes, since rows need not be aligned.
#include "index/segment/entry_format.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "core/half.h"
#include "core/kernels/dispatch.h"

namespace obliq {
namespace {

constexpr std::size_t kHalves = 2 * kBlockEntries;  // bytes of one factor of a block

std::size_t factors_at(std::size_t dim) { return block_sign_bytes(dim); }
std::size_t rescale_at(std::size_t dim) { return factors_at(dim) + kHalves; }

constexpr std::uint16_t kMinusInfinity = 0xFC00;
constexpr std::uint16_t kLargestHalf = 0x7BFF;

void store_half(std::uint16_t half, std::uint8_t* out) { std::memcpy(out, &half, sizeof half); }

std::uint16_t load_bits(const std::uint8_t* bytes) {
  std::uint16_t half = 0;
  std::memcpy(&half, bytes, sizeof half);
  return half;
}

float load_half(const std::uint8_t* bytes) { return half_to_float(load_bits(bytes)); }

// Of a number in units: cut off where fp16 keeps less than 11 bits.
std::uint16_t cut_off(float value) {
  constexpr float kNormal = 0x1p-14F;
  constexpr float kStep = 0x1p-24F;
  if (std::abs(value) < kNormal) value = std::trunc(value / kStep) * kStep;
  return float_to_half(value);
}

}  // namespace

float round_to_half_precision(float value) {
  std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  bits += 0xFFFU + (bits >> 13 & 1U);
  return std::bit_cast<float>(bits & ~0x1FFFU);
}

std::uint16_t to_units(float value, int exponent) {
  return cut_off(round_to_half_precision(value) / power_of_two(exponent));
}

std::uint16_t change_units(std::uint16_t half, int from, int to) {
  if (from == to) return half;
  return cut_off(std::ldexp(half_to_float(half), from - to));
}

EntryFactors entry_factors(const EncodedNumbers& numbers, const ListRecord& record) {
  if (std::isinf(numbers.entry_add)) return {kMinusInfinity, kLargestHalf};
  return {to_units(numbers.entry_add, record.add_exponent),
          to_units(numbers.entry_rescale, record.scale_exponent)};
}

EntryFactors change_units(EntryFactors factors, const ListRecord& from, const ListRecord& to) {
  if (factors.add == kMinusInfinity) return factors;
  return {change_units(factors.add, from.add_exponent, to.add_exponent),
          change_units(factors.rescale, from.scale_exponent, to.scale_exponent)};
}

// A byte of a plane is of two groups, the last perhaps of one; entries 16 apart share one of the
// block.
void write_block(const BlockEntries& entries, std::size_t dim, std::uint8_t* block) {
  const std::size_t plane = plane_bytes(dim);
  const bool is_whole = sign_groups(dim) % 2 == 0;
  for (std::size_t b = 0; b < plane; ++b) {
    std::uint8_t* both = block + 32 * b;
    for (std::size_t e = 0; e < 16; ++e) {
      const unsigned low = entries.planes[e * plane + b];
      const unsigned high = entries.planes[(e + 16) * plane + b];
      both[e] = static_cast<std::uint8_t>((low & 15U) | (high & 15U) << 4);
      if (b + 1 == plane && !is_whole) continue;
      both[e + 16] = static_cast<std::uint8_t>(low >> 4 | (high & 0xF0U));
    }
  }
  for (std::size_t e = 0; e < kBlockEntries; ++e) {
    store_half(entries.factors[e].add, block + factors_at(dim) + 2 * e);
    store_half(entries.factors[e].rescale, block + rescale_at(dim) + 2 * e);
  }
}

void read_block(const std::uint8_t* block, std::size_t dim, BlockEntries& entries) {
  const std::size_t plane = plane_bytes(dim);
  const bool is_whole = sign_groups(dim) % 2 == 0;
  for (std::size_t b = 0; b < plane; ++b) {
    const std::uint8_t* both = block + 32 * b;
    for (std::size_t e = 0; e < 16; ++e) {
      const unsigned first = both[e];
      const unsigned second = b + 1 < plane || is_whole ? both[e + 16] : 0U;
      entries.planes[e * plane + b] = static_cast<std::uint8_t>((first & 15U) | second << 4);
      entries.planes[(e + 16) * plane + b] =
          static_cast<std::uint8_t>(first >> 4 | (second & 0xF0U));
    }
  }
  for (std::size_t e = 0; e < kBlockEntries; ++e) {
    entries.factors[e] = {load_bits(block + factors_at(dim) + 2 * e),
                          load_bits(block + rescale_at(dim) + 2 * e)};
  }
}

void write_spilled(const SpilledEntry& entry, std::size_t nlist, std::uint8_t* out) {
  std::memcpy(out, &entry.row, sizeof entry.row);
  std::memcpy(out + sizeof entry.row, &entry.list, spilled_bytes(nlist) - sizeof entry.row);
}

float entry_rescale(const std::uint8_t* blocks, std::size_t dim, std::uint64_t entry) {
  return load_half(block_of(blocks, dim, entry) + rescale_at(dim) + 2 * (entry % kBlockEntries));
}

EntryFactors read_entry_factors(const std::uint8_t* blocks, std::size_t dim, std::uint64_t entry) {
  const std::uint8_t* at = block_of(blocks, dim, entry) + 2 * (entry % kBlockEntries);
  return {load_bits(at + factors_at(dim)), load_bits(at + rescale_at(dim))};
}

void read_entry_signs(const std::uint8_t* blocks, std::size_t dim, std::uint64_t entry,
                      std::uint8_t* signs) {
  kernels().gather_signs(block_of(blocks, dim, entry),
                         static_cast<std::uint32_t>(entry % kBlockEntries), dim, signs);
}

ScanList scan_list(const ListRecord& record, const std::uint8_t* blocks, std::size_t dim,
                   float base, float slope, float weight) {
  ScanList list = {};
  list.blocks = block_of(blocks, dim, record.first);
  list.stride = block_bytes(dim);
  list.factors = factors_at(dim);
  list.lane = static_cast<std::uint32_t>(record.first % kBlockEntries);
  list.count = record.count;
  list.base = base;
  list.add_scale = slope * record.add_scale();
  list.rescale_scale = slope * weight * record.scale();
  return list;
}

RowShape::RowShape(const Quantizer& quantizer) {
  const CodeLayout layout = quantizer.layout();
  leads_with_signs = layout.leads_with_signs;
  rest = layout.code_bytes - (leads_with_signs ? plane_bytes(quantizer.dim()) : 0);
  factors = layout.factors;
}

void write_row_factors(const RowShape& shape, const EncodedNumbers& numbers,
                       const ListRecord& record, std::uint8_t* row) {
  std::uint8_t* out = row + shape.rest;
  for (std::size_t f = 0; f < shape.factors; ++f, out += 2) {
    store_half(to_units(numbers.factors[f], record.scale_exponent), out);
  }
  store_half(to_units(numbers.row_add, record.add_exponent), out);
}

void change_row_units(const RowShape& shape, const ListRecord& from, const ListRecord& to,
                      std::uint8_t* row) {
  std::uint8_t* at = row + shape.rest;
  for (std::size_t f = 0; f < shape.factors; ++f, at += 2) {
    store_half(change_units(load_bits(at), from.scale_exponent, to.scale_exponent), at);
  }
  store_half(change_units(load_bits(at), from.add_exponent, to.add_exponent), at);
}

Factors read_row_factors(const RowShape& shape, const std::uint8_t* row, float scale) {
  Factors factors = {};
  for (std::size_t f = 0; f < shape.factors; ++f) {
    factors[f] = load_half(row + shape.rest + 2 * f) * scale;
  }
  return factors;
}

float read_row_add(const RowShape& shape, const std::uint8_t* row, float add_scale) {
  return load_half(row + shape.rest + 2 * shape.factors) * add_scale;
}

}  // namespace obliq

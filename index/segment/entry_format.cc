// Offsets follow from dim alone. fp16 numbers are copied by bytes, since rows need not be aligned.
#include "index/segment/entry_format.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "core/half.h"
#include "core/kernels/dispatch.h"

namespace obliq {
namespace {

constexpr std::size_t kHalves = 2 * kBlockEntries;  // bytes of one factor of a block

std::size_t factors_at(std::size_t dim) { return block_sign_bytes(dim); }
std::size_t rescale_at(std::size_t dim) { return factors_at(dim) + kHalves; }

void store_half(float value, std::uint8_t* out) {
  const std::uint16_t half = float_to_half(value);
  std::memcpy(out, &half, sizeof half);
}

float load_half(const std::uint8_t* bytes) {
  std::uint16_t half = 0;
  std::memcpy(&half, bytes, sizeof half);
  return half_to_float(half);
}

}  // namespace

void write_entry(const std::uint8_t* signs, const EncodedNumbers& numbers, const ListRecord& record,
                 std::uint32_t row, std::size_t dim, std::uint64_t entry, std::uint8_t* blocks) {
  std::uint8_t* block = blocks + entry / kBlockEntries * block_bytes(dim);
  const std::size_t lane = entry % kBlockEntries;
  for (std::size_t g = 0; g < sign_groups(dim); ++g) {
    const unsigned bits = signs[g / 2] >> (4 * (g % 2)) & 15U;
    std::uint8_t& byte = block[16 * g + lane % 16];
    byte = static_cast<std::uint8_t>(byte | bits << (lane < 16 ? 0 : 4));
  }
  const float add = numbers.entry_add / record.add_scale;
  const float rescale = numbers.entry_rescale / record.scale;
  const bool fits = std::abs(add) <= kMaxHalf && rescale <= kMaxHalf;
  store_half(fits ? add : -std::numeric_limits<float>::infinity(),
             block + factors_at(dim) + 2 * lane);
  store_half(fits ? rescale : kMaxHalf, block + rescale_at(dim) + 2 * lane);
  std::memcpy(block + block_rows_at(dim) + 4 * lane, &row, sizeof row);
}

float entry_rescale(const std::uint8_t* blocks, std::size_t dim, std::uint64_t entry) {
  return load_half(block_of(blocks, dim, entry) + rescale_at(dim) + 2 * (entry % kBlockEntries));
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
  list.add_scale = slope * record.add_scale;
  list.rescale_scale = slope * weight * record.scale;
  return list;
}

RowShape::RowShape(const Quantizer& quantizer) {
  const CodeLayout layout = quantizer.layout();
  leads_with_signs = layout.leads_with_signs;
  rest = layout.code_bytes - (leads_with_signs ? plane_bytes(quantizer.dim()) : 0);
  factors = layout.factors;
}

void RowShape::add_primary(std::size_t nlist) {
  primary_list = nlist <= std::size_t{1} << 16 ? 2 : 4;
  primary_entry = leads_with_signs ? 4 : 0;
}

void write_primary(const RowShape& shape, const PrimaryEntry& primary, std::uint8_t* row) {
  std::uint8_t* out = row + shape.bytes() - shape.primary();
  const auto entry = static_cast<std::uint32_t>(primary.entry);
  std::memcpy(out, &primary.list, shape.primary_list);
  std::memcpy(out + shape.primary_list, &entry, shape.primary_entry);
}

PrimaryEntry read_primary(const RowShape& shape, const std::uint8_t* row) {
  const std::uint8_t* at = row + shape.bytes() - shape.primary();
  PrimaryEntry primary;
  std::uint16_t near = 0;
  std::memcpy(&near, at, sizeof near);
  primary.list = near;
  if (shape.primary_list == sizeof primary.list) {
    std::memcpy(&primary.list, at, sizeof primary.list);
  }
  if (shape.primary_entry == 0) return primary;
  std::uint32_t entry = 0;
  std::memcpy(&entry, at + shape.primary_list, sizeof entry);
  primary.entry = entry;
  return primary;
}

void write_row_factors(const RowShape& shape, const EncodedNumbers& numbers,
                       const ListRecord& record, std::uint8_t* row) {
  std::uint8_t* out = row + shape.rest;
  for (std::size_t f = 0; f < shape.factors; ++f, out += 2) {
    store_half(numbers.factors[f] / record.scale, out);
  }
  store_half(numbers.row_add / record.add_scale, out);
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

// The stored form of a vector: an entry in a block of its list, and a row. This is the one place
// that knows their offsets; all others read and write through it.
//
// A *block* holds 32 entries of a list, or of the end of one and the beginning of the next; entry e
// of the stream is entry e % 32 of block e / 32. With groups = ceil(dim / 4):
//
//     0            [groups][16]  signs: byte e%16 of group g holds in its low half (e < 16) or high
//                                half (e >= 16) those of dims 4g..4g+3; bit i is 1 where the
//                                residual of dim 4g+i is >= 0; bits beyond dim are 0
//     16 groups    [32] fp16     f_add, in units of the list's add_scale
//          + 64    [32] fp16     f_rescale, in units of the list's scale
//         + 128    end
//
// A *row* holds what the block does not:
//
//     0            code, without its sign plane where the code leads with one
//     rest         [factors] fp16   those of the quantizer, in units of the list's scale
//     ...          fp16             f_add of the row's code, in units of the list's add_scale
//
// A *spilled entry* names its row (uint32) and its primary list (uint16, uint32 beyond 65536
// lists).
//
// Numbers are little-endian and not aligned. They are rounded to 11 significant bits, whatever
// their size; below 2^-14 units they are then cut off, never rounded, to a multiple of 2^-24 units.
// So it makes no difference whether units grow in one step or in several, as segments are merged.
// Numbers of a spilled entry that are too large for its list are stored as f_add -infinity and
// f_rescale 65504: its bound rules nothing out.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "core/kernels/kernels.h"
#include "index/segment/list_record.h"
#include "obliq/metric.h"
#include "obliq/quantizer.h"

namespace obliq {

/// Bytes from block to block.
constexpr std::size_t block_bytes(std::size_t dim) {
  return 16 * sign_groups(dim) + 4 * kBlockEntries;
}
/// Blocks that hold `entries` entries.
constexpr std::size_t block_count(std::size_t entries) {
  return (entries + kBlockEntries - 1) / kBlockEntries;
}
/// Bytes of a block that hold signs; the factors follow.
constexpr std::size_t block_sign_bytes(std::size_t dim) { return 16 * sign_groups(dim); }
/// The block of an entry.
inline const std::uint8_t* block_of(const std::uint8_t* blocks, std::size_t dim,
                                    std::uint64_t entry) {
  return blocks + entry / kBlockEntries * block_bytes(dim);
}

/// The row of a spilled entry, and its primary list.
struct SpilledEntry {
  std::uint32_t row = 0;
  std::uint32_t list = 0;
};

/// The numbers of one encoded vector, not yet in units of its list.
struct EncodedNumbers {
  float entry_add = 0;      ///< f_add of the entry: of the sign code
  float entry_rescale = 0;  ///< f_rescale of the entry: |r|^2 / <r,s>
  float row_add = 0;        ///< f_add of the row's code
  Factors factors = {};     ///< of the quantizer
  float r2 = 0;             ///< |r|^2
  float sine2 = 0;          ///< squared sine of the angle between r and s
  float tangent2 = 0;       ///< squared tangent of the angle between r and y
};

/// Rounds to the 11 bits that fp16 keeps, whatever the exponent.
float round_to_half_precision(float value);
/// A number in units of 2^exponent, as it is stored.
std::uint16_t to_units(float value, int exponent);
/// The same of a stored number when the unit 2^from grows to 2^to.
std::uint16_t change_units(std::uint16_t half, int from, int to);

/// The factors of an entry as they are stored.
struct EntryFactors {
  std::uint16_t add = 0;
  std::uint16_t rescale = 0;
};
/// In units of the list. An f_add of -infinity stands for numbers that are too large for it.
EntryFactors entry_factors(const EncodedNumbers& numbers, const ListRecord& record);
/// The same when a list's units grow.
EntryFactors change_units(EntryFactors factors, const ListRecord& from, const ListRecord& to);

/// A block as separate entries.
struct BlockEntries {
  explicit BlockEntries(std::size_t dim) : planes(kBlockEntries * plane_bytes(dim)) {}

  std::vector<std::uint8_t> planes;  ///< [32][plane_bytes(dim)]: the signs
  std::array<EntryFactors, kBlockEntries> factors = {};
};
void write_block(const BlockEntries& entries, std::size_t dim, std::uint8_t* block);
void read_block(const std::uint8_t* block, std::size_t dim, BlockEntries& entries);

/// The primary entry of a row, from the start of blocks; `record`: of its primary list.
inline std::uint64_t primary_entry(const ListRecord& record, std::uint32_t row) {
  return record.first + (row - record.first_row);
}

/// Bytes of a spilled entry's row and primary list.
constexpr std::size_t spilled_bytes(std::size_t nlist) {
  return nlist <= std::size_t{1} << 16 ? 6 : 8;
}
/// Spilled entry i of those that begin at `spilled`.
inline SpilledEntry read_spilled(const std::uint8_t* spilled, std::size_t nlist, std::size_t i) {
  const std::uint8_t* at = spilled + i * spilled_bytes(nlist);
  SpilledEntry entry;
  std::memcpy(&entry.row, at, sizeof entry.row);
  std::memcpy(&entry.list, at + sizeof entry.row, spilled_bytes(nlist) - sizeof entry.row);
  return entry;
}
void write_spilled(const SpilledEntry& entry, std::size_t nlist, std::uint8_t* out);

/// f_rescale of an entry in units of its list: |r| over sqrt(dim) cos(angle between r and s).
float entry_rescale(const std::uint8_t* blocks, std::size_t dim, std::uint64_t entry);
/// The factors of an entry, as they are stored.
EntryFactors read_entry_factors(const std::uint8_t* blocks, std::size_t dim, std::uint64_t entry);
/// Writes the sign plane of an entry, plane_bytes(dim) bytes.
void read_entry_signs(const std::uint8_t* blocks, std::size_t dim, std::uint64_t entry,
                      std::uint8_t* signs);

/// 2 for l2 and cosine, 1 for ip: how often <x^,q> counts in a distance.
constexpr float product_weight(Metric metric) { return metric == Metric::ip ? 1.0F : 2.0F; }

/// By how much f_add and f_rescale of an entry may be off where they are cut off to multiples of
/// 2^-24 units, as a distance after the transform; `distance`: |q-c|.
inline float hidden_by_units(const ListRecord& record, std::size_t dim, float weight,
                             float distance) {
  constexpr float kStep = 0x1p-24F;
  return kStep * (record.add_scale() +
                  weight * record.scale() * std::sqrt(static_cast<float>(dim)) * distance);
}

/// The entries of a list for the scan kernel, in distances of `base + slope * (f_add - weight *
/// product)`. The caller sets LUT step and shift.
ScanList scan_list(const ListRecord& record, const std::uint8_t* blocks, std::size_t dim,
                   float base, float slope, float weight);
/// The part of a list from entry `begin` on, a multiple of 32, at most `count` entries long; what
/// follows in the list is fetched.
inline ScanList scan_part(const ScanList& list, std::uint32_t begin, std::uint32_t count) {
  ScanList part = list;
  part.blocks += begin / kBlockEntries * list.stride;
  part.count = std::min(count, list.count - begin);
  part.mask_begin += begin;
  part.masked -= std::min(begin, list.masked);
  if (begin + count < list.count) {
    const std::uint8_t* behind = part.blocks + count / kBlockEntries * list.stride;
    part.next = {behind, behind + list.stride};
  }
  return part;
}

/// The sizes of a row's parts.
struct RowShape {
  std::size_t rest = 0;           ///< bytes of the code without a leading sign plane
  std::size_t factors = 0;        ///< of the quantizer
  bool leads_with_signs = false;  ///< the code does; its block has them

  RowShape() = default;
  explicit RowShape(const Quantizer& quantizer);
  std::size_t bytes() const { return rest + 2 * (factors + 1); }
};

/// Writes the factors and f_add behind the code of a row.
void write_row_factors(const RowShape& shape, const EncodedNumbers& numbers,
                       const ListRecord& record, std::uint8_t* row);
/// Changes them when a list's units grow.
void change_row_units(const RowShape& shape, const ListRecord& from, const ListRecord& to,
                      std::uint8_t* row);
/// The factors behind the code of a row (`scale`: the list's).
Factors read_row_factors(const RowShape& shape, const std::uint8_t* row, float scale);
/// f_add of a row (`add_scale`: the list's).
float read_row_add(const RowShape& shape, const std::uint8_t* row, float add_scale);

}  // namespace obliq

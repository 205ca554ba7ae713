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
//         + 128    [32] uint32   row
//         + 256    end
//
// A *row* holds what the block does not:
//
//     0            code, without its sign plane where the code leads with one
//     rest         [factors] fp16   those of the quantizer, in units of the list's scale
//     ...          fp16             f_add of the row's code, in units of the list's add_scale
//     ...          the primary entry, in indexes with spilled vectors only: uint16 list (uint32
//                  beyond 65536 lists) and, where the block keeps the code's signs, uint32 entry
//
// Numbers are little-endian and not aligned. Numbers of a second entry that fp16 does not hold in
// these units are stored as f_add -infinity and f_rescale 65504: its bound rules nothing out.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/kernels/kernels.h"
#include "index/segment/list_record.h"
#include "obliq/metric.h"
#include "obliq/quantizer.h"

namespace obliq {

/// Bytes from block to block.
constexpr std::size_t block_bytes(std::size_t dim) { return 16 * sign_groups(dim) + 256; }
/// Blocks that hold `entries` entries.
constexpr std::size_t block_count(std::size_t entries) {
  return (entries + kBlockEntries - 1) / kBlockEntries;
}
/// Bytes of a block that hold signs; the factors follow.
constexpr std::size_t block_sign_bytes(std::size_t dim) { return 16 * sign_groups(dim); }
/// Where the rows that its entries name begin in a block.
constexpr std::size_t block_rows_at(std::size_t dim) {
  return block_sign_bytes(dim) + 4 * kBlockEntries;
}
/// The block of an entry.
inline const std::uint8_t* block_of(const std::uint8_t* blocks, std::size_t dim,
                                    std::uint64_t entry) {
  return blocks + entry / kBlockEntries * block_bytes(dim);
}

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

/// Writes one entry of zeroed blocks: its signs (plane_bytes(dim) bytes), factors and row.
void write_entry(const std::uint8_t* signs, const EncodedNumbers& numbers, const ListRecord& record,
                 std::uint32_t row, std::size_t dim, std::uint64_t entry, std::uint8_t* blocks);
/// The row that an entry names. Inline, since a search asks for each survivor of the scan.
inline std::uint32_t entry_row(const std::uint8_t* blocks, std::size_t dim, std::uint64_t entry) {
  const std::uint8_t* rows = block_of(blocks, dim, entry) + block_rows_at(dim);
  std::uint32_t row = 0;
  std::memcpy(&row, rows + 4 * (entry % kBlockEntries), sizeof row);
  return row;
}
/// f_rescale of an entry in units of its list: |r| over sqrt(dim) cos(angle between r and s).
float entry_rescale(const std::uint8_t* blocks, std::size_t dim, std::uint64_t entry);
/// Writes the sign plane of an entry, plane_bytes(dim) bytes.
void read_entry_signs(const std::uint8_t* blocks, std::size_t dim, std::uint64_t entry,
                      std::uint8_t* signs);

/// 2 for l2 and cosine, 1 for ip: how often <x^,q> counts in a distance.
constexpr float product_weight(Metric metric) { return metric == Metric::ip ? 1.0F : 2.0F; }

/// By how much f_add and f_rescale of an entry of zero may be off where fp16 holds less than 11
/// bits of them, as a distance after the transform; `distance`: |q-c|.
inline float hidden_by_units(const ListRecord& record, std::size_t dim, float weight,
                             float distance) {
  constexpr float kHalfStep = 0x1p-25F;
  return kHalfStep *
         (record.add_scale + weight * record.scale * std::sqrt(static_cast<float>(dim)) * distance);
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
  if (begin + count < list.count) part.next = part.blocks + count / kBlockEntries * list.stride;
  return part;
}

/// The sizes of a row's parts.
struct RowShape {
  std::size_t rest = 0;           ///< bytes of the code without a leading sign plane
  std::size_t factors = 0;        ///< of the quantizer
  std::size_t primary_list = 0;   ///< bytes of the primary entry's list
  std::size_t primary_entry = 0;  ///< bytes of the primary entry's number
  bool leads_with_signs = false;  ///< the code does; its block has them

  RowShape() = default;
  explicit RowShape(const Quantizer& quantizer);
  /// Makes room for the primary entry.
  void add_primary(std::size_t nlist);
  std::size_t primary() const { return primary_list + primary_entry; }
  std::size_t bytes() const { return rest + 2 * (factors + 1) + primary(); }
};

/// Where the primary entry of a row is: what a row of an index with spilled vectors tells. The
/// entry counts from the start of blocks; read_primary leaves it 0 where the row does not hold it.
struct PrimaryEntry {
  std::uint32_t list = 0;
  std::uint64_t entry = 0;
};
void write_primary(const RowShape& shape, const PrimaryEntry& primary, std::uint8_t* row);
PrimaryEntry read_primary(const RowShape& shape, const std::uint8_t* row);

/// Writes the factors and f_add behind the code of a row.
void write_row_factors(const RowShape& shape, const EncodedNumbers& numbers,
                       const ListRecord& record, std::uint8_t* row);
/// The factors behind the code of a row (`scale`: the list's).
Factors read_row_factors(const RowShape& shape, const std::uint8_t* row, float scale);
/// f_add of a row (`add_scale`: the list's).
float read_row_add(const RowShape& shape, const std::uint8_t* row, float add_scale);

}  // namespace obliq

// A segment: vectors encoded under one model, immutable. Plain data, in memory or mapped from a
// file.
//
//     lists    where each list lies, and the units of its factors
//     blocks   entries of all lists in one stream, 32 to a block (entry_format.h)
//     spilled  of the spilled entries, in the order of the lists, their rows and primary lists
//     rows     one per vector, in the order of the lists (entry_format.h)
//     raw      exact vectors in the order of the rows (raw_form.h), optional
//     ids      in the order of the rows: the ids that were given, or positions in the base
//     columns  attributes of the vectors in the order of the rows (columns/column_table.h),
//     optional truth    of each learn query of the model, its nearest among these vectors, optional
//
// A vector has its primary entry in the list of its nearest centroid and, when it is spilled
// (build/spill.h), a second one in another list. Its row is relative to the centroid of the primary
// list. Entry i of a list, of the primary ones, belongs to the row first_row + i; a spilled entry
// names its row.
//
// A segment of a range of lists also holds the rows that its spilled entries name outside: the
// primary lists of these *foreign* rows have rows but no entries that a search scans. They do not
// count in n.
//
// With r = x - c the residual, s its signs, y its decoded code and x^ = S y the estimate of r from
// it, a list stores, in units of its own (list_record.h): of an entry f_add for s and f_rescale =
// |r|^2 / <r,s>; of a row the quantizer's factors and f_add for x^, where
//
//     l2, cosine   |q-x|^2 ~ |q-c|^2 + f_add - 2 <x^,q>    f_add = |r|^2 + 2 <x^,c>
//     ip           -<q,x>  ~ -<q,c>  + f_add -   <x^,q>    f_add = -<r,c> +  <x^,c>
//
// In far lists (centroid_code.h) <x^,q-c> takes the place of <x^,q>, and <x^,c> is left out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "index/columns/column_table.h"
#include "index/segment/list_directory.h"
#include "index/segment/trained_model.h"
#include "obliq/tuning.h"

namespace obliq {

/// The fixed numbers of a segment, as stored (80 bytes, little-endian).
struct SegmentInfo {
  std::uint64_t model = 0;    ///< id of its model
  std::uint64_t n = 0;        ///< vectors
  std::uint64_t rows = 0;     ///< n and foreign rows
  std::uint64_t entries = 0;  ///< length of the block stream
  std::uint64_t spilled = 0;  ///< spilled entries
  /// Of all vectors that were encoded into it, also those that a merge left out: how many, and the
  /// sum of |r|^2 over the mean of the model, in units of 2^-20, each at most 2^12: tells how far
  /// the vectors have moved from those that the model was trained on.
  std::uint64_t encoded = 0;
  std::uint64_t drift = 0;
  std::uint32_t first_list = 0;  ///< the range of lists that it holds, [first_list, end_list)
  std::uint32_t end_list = 0;
  std::uint32_t has_ids = 0;  ///< 1: ids were given; 0: they are positions
  std::uint32_t zero = 0;
  std::uint64_t zeros = 0;
};
static_assert(sizeof(SegmentInfo) == 80);

/// Of each learn query the nearest vectors of a segment, by exact distances; its own id left out.
struct Truth {
  static constexpr std::size_t kNeighbours = 128;

  std::span<const float> distances;   ///< [learn queries][kNeighbours], rising; +infinity: none
  std::span<const std::int64_t> ids;  ///< the same; -1: none
  bool empty() const { return distances.empty(); }
};

/// A copy shares everything that is large.
struct Segment {
  std::shared_ptr<const TrainedModel> model;
  SegmentInfo info;
  ListDirectory lists;
  std::span<const std::uint8_t> blocks;
  std::span<const std::uint8_t> spilled;  ///< spilled_bytes(nlist) each (entry_format.h)
  std::span<const std::uint8_t> rows;
  std::span<const std::uint8_t> raw;
  std::span<const std::int64_t> ids;           ///< of each row where ids were given
  std::span<const std::uint32_t> positions;    ///< of each row where they were not
  std::span<const std::uint32_t> sorted_rows;  ///< with ids: rows below n by rising id
  std::shared_ptr<const ColumnTable> columns;  ///< null: none
  Truth truth;
  Tuning tuning;                      ///< ways to target recalls, when tuned
  std::shared_ptr<const void> owner;  ///< keeps the bytes of the spans
  bool reads_ahead = false;           ///< a search asks for its pages before it reads them
  std::size_t file_bytes = 0;
  std::uint32_t format_version = 0;

  std::size_t dim() const { return model->dim(); }
  /// The id of a row.
  std::int64_t id(std::uint32_t row) const {
    return info.has_ids != 0 ? ids[row] : static_cast<std::int64_t>(positions[row]);
  }
  /// The spilled entry of number i.
  SpilledEntry spilled_entry(std::size_t i) const {
    return read_spilled(spilled.data(), model->nlist(), i);
  }
};

}  // namespace obliq

// Distances of rows from their full codes and, where there is a raw tier, from exact vectors: what
// the stages refine and raw compute, whoever chose the rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/prefetch.h"
#include "index/search/prepared_query.h"
#include "index/search/router.h"
#include "index/segment/segment.h"
#include "storage/read_ahead.h"

namespace obliq {

/// A row of a segment with its primary list.
struct PlacedRow {
  SpilledEntry place;
  const ListRecord* record;  ///< of its primary list
};

/// Scratch memory for a batch of rows.
struct RowScratch {
  RowScratch(const TrainedModel& model, std::size_t most_rows);

  std::vector<CodeRef> refs;
  std::vector<std::uint8_t> signs;
  std::vector<float> products;
  std::vector<float> raw_row;
  // Of a far list:
  std::uint32_t far_list = kNoList;    ///< that they are made for
  std::vector<float> far_values;       ///< q - c'
  std::unique_ptr<Scorer> far_scorer;  ///< null where no list is far
};

/// One for an index; threads share it, each with a RowScratch of its own.
class RowScorer {
 public:
  /// The model outlives this.
  explicit RowScorer(const TrainedModel& model);

  /// Products of the query with the codes of a batch of rows.
  void multiply(const PreparedQuery& query, const Segment& segment, std::span<const PlacedRow> rows,
                RowScratch& scratch) const;
  /// f_add of row i of that batch.
  float add_of(const PlacedRow& row, std::size_t i, const RowScratch& scratch) const {
    return read_row_add(model_.row_shape, scratch.refs[i].rest, row.record->add_scale());
  }
  /// The distance of row i by its code; `base`: to its primary list.
  float distance(const PreparedQuery& query, float base, float f_add, std::size_t i,
                 const RowScratch& scratch) const {
    return base + query.slope() * (f_add - weight_ * scratch.products[i]);
  }
  /// Requires a raw tier.
  float raw_distance(const PreparedQuery& query, const Segment& segment, const SpilledEntry& place,
                     RowScratch& scratch) const;

  /// Start loading a row, the signs of its primary entry, and what a query asks of a list.
  void fetch_row(const Segment& segment, std::uint32_t row) const {
    prefetch(row_at(segment, row), row_bytes_);
  }
  void fetch_signs(const Segment& segment, const PlacedRow& row) const;
  /// Add their bytes to those that are read ahead.
  void add_rows(const Segment& segment, std::uint32_t row, std::size_t count,
                ReadAhead& ahead) const {
    ahead.add(row_at(segment, row), count * row_bytes_);
  }
  void add_raw(const Segment& segment, std::uint32_t row, ReadAhead& ahead) const;
  void add_signs(const Segment& segment, const PlacedRow& row, ReadAhead& ahead) const;
  void fetch_list(std::uint32_t list) const {
    prefetch(model_.centroid(list), dim_);
    prefetch(&model_.lists[list], sizeof(ListPoint));
  }

 private:
  void multiply_some(const PreparedQuery& query, std::uint32_t list, std::size_t begin,
                     std::size_t end, RowScratch& scratch) const;
  const float* far_values(const PreparedQuery& query, std::uint32_t list,
                          RowScratch& scratch) const;
  float distance_behind(const PreparedQuery& query, const float* x, std::uint32_t list,
                        RowScratch& scratch) const;
  /// The list where it is far, else kNoList.
  std::uint32_t far_or_none(std::uint32_t list) const {
    return model_.far_point(list) == nullptr ? kNoList : list;
  }
  const std::uint8_t* row_at(const Segment& segment, std::uint32_t row) const {
    return segment.rows.data() + row * row_bytes_;
  }

  const TrainedModel& model_;
  const std::size_t dim_;
  const std::size_t row_bytes_;
  const float weight_;  ///< of <x^,q> in a distance
};

}  // namespace obliq

// The segments that are searched together: all of one model. A vector's *slot* is its row's number
// counted through all segments.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "index/segment/row_bits.h"
#include "index/segment/segment.h"
#include "storage/read_ahead.h"

namespace obliq {

class SegmentSet {
 public:
  /// Requires segments of this model, of fewer than 2^32 rows together. `deleted`: rows of each
  /// that are not there any more, null: none; or empty: none of any.
  SegmentSet(std::shared_ptr<const TrainedModel> model, std::vector<Segment> segments,
             std::vector<std::shared_ptr<const RowBits>> deleted = {});

  /// No segments: lists are those of the model, as if all had entries.
  explicit SegmentSet(std::shared_ptr<const TrainedModel> model);

  const TrainedModel& model() const { return *model_; }
  const std::shared_ptr<const TrainedModel>& shared_model() const { return model_; }
  const std::vector<Segment>& segments() const { return segments_; }
  /// The deleted rows of a segment; null: none.
  const RowBits* deleted(std::size_t segment) const {
    return deleted_.empty() ? nullptr : deleted_[segment].get();
  }
  std::shared_ptr<const RowBits> shared_deleted(std::size_t segment) const {
    return deleted_.empty() ? nullptr : deleted_[segment];
  }
  bool is_deleted(std::size_t segment, std::uint32_t row) const {
    return deleted(segment) != nullptr && deleted(segment)->has(row);
  }
  /// The slot of row 0 of a segment.
  std::uint32_t first_slot(std::size_t segment) const { return first_slots_[segment]; }
  std::uint32_t slots() const { return first_slots_.back(); }
  /// The segment that has a slot.
  std::size_t segment_of(std::uint32_t slot) const;
  std::int64_t id(std::uint32_t slot) const;
  /// Starts loading what id() reads.
  void fetch_id(std::uint32_t slot) const;
  /// Asks the system for the pages of what id() reads of slots, those that are not negative.
  void ask_for_ids(std::span<const std::int64_t> slots, ReadAhead& ahead) const;

  std::size_t n() const { return n_; }                ///< vectors that are not deleted
  std::uint64_t spilled() const { return spilled_; }  ///< spilled entries
  std::uint64_t block_bytes() const { return block_bytes_; }
  bool reads_ahead() const { return reads_ahead_; }  ///< of some segment
  /// Lists that have entries: no other is ever searched.
  std::size_t filled() const { return filled_; }
  bool is_filled(std::uint32_t list) const { return is_empty_.empty() || !is_empty_[list]; }
  /// Entries of a list, in all segments.
  std::uint64_t entries(std::uint32_t list) const;

 private:
  void note_filled(const ListDirectory& lists);

  std::shared_ptr<const TrainedModel> model_;
  std::vector<Segment> segments_;
  std::vector<std::shared_ptr<const RowBits>> deleted_;
  std::vector<std::uint32_t> first_slots_;  // [segments + 1]
  std::size_t n_ = 0;
  std::uint64_t spilled_ = 0;
  std::uint64_t block_bytes_ = 0;
  bool reads_ahead_ = false;
  std::size_t filled_ = 0;
  std::vector<bool> is_empty_;  // [nlist], or empty where all lists have entries
};

/// Calls take(slot, id) for each vector of a set; not for foreign rows (segment.h) and deleted
/// ones.
template <typename Take>
void for_each_vector(const SegmentSet& set, Take take) {
  for (std::size_t s = 0; s < set.segments().size(); ++s) {
    const Segment& segment = set.segments()[s];
    for (const ListRecord& record : segment.lists.records()) {
      if (record.is_foreign()) continue;
      for (std::uint32_t i = 0; i < record.primaries; ++i) {
        const std::uint32_t row = record.first_row + i;
        if (set.is_deleted(s, row)) continue;
        take(set.first_slot(s) + row, segment.id(row));
      }
    }
  }
}

}  // namespace obliq

// The segments of a merge, seen list by list: which rows it keeps, and in which order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "index/build/kept_rows.h"
#include "index/segment/row_bits.h"
#include "index/segment/segment.h"

namespace obliq {

/// A segment to merge, and its name in messages.
struct MergeSource {
  Segment segment;
  std::string name;
  const RowBits* deleted = nullptr;  ///< rows that are left out; null: none
};

/// A row of a segment.
struct SourceRow {
  std::uint32_t source = 0;
  std::uint32_t row = 0;
  std::int64_t id = 0;
};

/// A spilled entry of a list: its row, the row's primary list, and which entry of the list it is.
struct SourceSpilled {
  SourceRow row;
  std::uint32_t primary_list = 0;
  std::uint32_t entry = 0;
};

class MergeSources {
 public:
  /// `deleted`: ids that are left out; they need not be there. Where an id is in two segments, that
  /// of the last is kept if `keep_last`. Throws std::invalid_argument naming both segments where
  /// they are of different models, where some have ids and others positions, or naming the id and
  /// both places where it comes twice; std::runtime_error where a damaged file has rows out of
  /// place.
  MergeSources(const std::vector<MergeSource>& sources, std::span<const std::int64_t> deleted,
               bool keep_last);

  std::size_t size() const { return sources_.size(); }
  const Segment& segment(std::size_t source) const { return sources_[source].segment; }
  const std::string& name(std::size_t source) const { return sources_[source].name; }
  bool has_ids() const { return has_ids_; }
  bool keeps_all() const;

  /// Of each list whether a source stores something of it.
  std::vector<bool> stored_lists() const;
  /// The rows of a list that are kept, by rising id, foreign ones left out.
  void rows_of(std::uint32_t list, std::vector<SourceRow>& rows) const;
  /// Its spilled entries whose rows are kept, by rising id.
  void spilled_of(std::uint32_t list, std::vector<SourceSpilled>& spilled) const;
  /// What the list holds of both: counts, units and the largest |r|^2; no places.
  ListRecord sum_of(std::uint32_t list) const;
  /// The number of its kept rows whose ids are below `id`.
  std::uint32_t rank(std::uint32_t list, std::int64_t id) const;
  /// Calls visit(row, list) for all kept rows by rising id. Requires ids.
  void for_each_by_id(const std::function<void(const SourceRow&, std::uint32_t)>& visit) const;

 private:
  /// The record of a list where the segment holds it as its own; else null.
  const ListRecord* own(std::size_t source, std::uint32_t list) const;
  bool check_models() const;
  void drop_deleted(std::span<const std::int64_t> deleted);
  void check_unique(bool keep_last);
  bool ids_are_apart() const;
  std::vector<std::uint32_t> sorted_positions(std::size_t source) const;
  std::uint32_t list_of(std::size_t source, std::uint32_t row) const;
  [[noreturn]] void refuse_twice(const SourceRow& first, const SourceRow& second) const;

  const std::vector<MergeSource>& sources_;
  const bool has_ids_;
  std::vector<KeptRows> kept_;
};

}  // namespace obliq

// Where a segment finds the record of a list. A small segment has records of the lists alone that
// hold something, with their numbers; a large one has a record of every list.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "index/segment/list_record.h"

namespace obliq {

/// Segments of fewer rows than this name their lists.
inline constexpr std::size_t kLeastDense = 4096;

class ListDirectory {
 public:
  ListDirectory() = default;
  /// `numbers`: of the lists that the records belong to, rising; empty: all lists have a record.
  explicit ListDirectory(std::span<const ListRecord> records,
                         std::span<const std::uint32_t> numbers = {})
      : records_(records), numbers_(numbers) {}

  /// The record of a list below nlist; null where nothing is stored of it.
  const ListRecord* find(std::uint32_t list) const {
    if (numbers_.empty()) return list < records_.size() ? &records_[list] : nullptr;
    const auto place = std::lower_bound(numbers_.begin(), numbers_.end(), list);
    if (place == numbers_.end() || *place != list) return nullptr;
    return &records_[static_cast<std::size_t>(place - numbers_.begin())];
  }
  /// The number of a record that find() gave.
  std::size_t place_of(const ListRecord& record) const {
    return static_cast<std::size_t>(&record - records_.data());
  }
  /// All records, in the order of their lists.
  std::span<const ListRecord> records() const { return records_; }
  /// The list of record i.
  std::uint32_t list_of(std::size_t i) const {
    return numbers_.empty() ? static_cast<std::uint32_t>(i) : numbers_[i];
  }
  /// Of each record where its rows end.
  std::vector<std::uint32_t> row_ends() const {
    std::vector<std::uint32_t> ends;
    for (const ListRecord& record : records_) ends.push_back(record.first_row + record.primaries);
    return ends;
  }
  bool is_sparse() const { return !numbers_.empty(); }
  std::span<const std::uint32_t> numbers() const { return numbers_; }
  std::size_t bytes() const { return records_.size_bytes() + numbers_.size_bytes(); }

 private:
  std::span<const ListRecord> records_;
  std::span<const std::uint32_t> numbers_;
};

}  // namespace obliq

// The order of a segment: rows by their primary lists, in a list by id, spilled entries likewise;
// and where each list lies in the stream of blocks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "index/segment/list_directory.h"
#include "index/segment/list_record.h"

namespace obliq {

/// Numbers 0 .. n-1 of items in the order of (list, id). `ids` empty: numbers stand for ids.
std::vector<std::uint32_t> by_list_and_id(std::span<const std::uint32_t> lists,
                                          std::span<const std::int64_t> ids, std::size_t nlist);

/// Sets first, first_row and first_spilled of the records, whose counts are there. Returns the
/// length of the stream in entries.
std::uint64_t place_records(std::span<ListRecord> records);

/// The numbers of the records in the order in which they lie in the stream.
std::vector<std::uint32_t> in_stream_order(std::span<const ListRecord> records);

/// A list directory on its way: the records of all lists, or of those that hold something where
/// these are few (list_directory.h).
struct ListTable {
  std::vector<ListRecord> records;
  std::vector<std::uint32_t> numbers;  ///< empty: of all lists

  ListDirectory directory() const { return ListDirectory(records, numbers); }
};
ListTable make_table(std::vector<ListRecord> records);

}  // namespace obliq

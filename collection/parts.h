// What changes, and steps in the background, do with parts of a collection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "collection/given_names.h"
#include "collection/snapshot.h"
#include "index/build/merge_sources.h"

namespace obliq {

/// From here on what is added becomes a file at once, a record of the log being 1 GB at most.
inline constexpr std::size_t kLargeRows = 65536;
inline constexpr std::size_t kLargeBytes = std::size_t{256} << 20;

/// Of the values of all columns, roughly.
std::size_t bytes_of(std::span<const ColumnValues> columns);

/// Whether `part` is of the same segment as one of the parts.
bool is_in(const std::vector<Part>& parts, const Part& part);
/// Throws std::invalid_argument where one of the names is there that replaces nothing.
void refuse_known(const Snapshot& now, const GivenNames& names);
/// Vectors that are not deleted.
std::size_t live_rows(const std::vector<Part>& parts);
/// To merge, without deleted rows. The parts outlive this.
std::vector<MergeSource> sources_of(std::span<const Part> parts);
/// Deletes in parts.back() what was deleted of `from` between then and `now`.
void delete_since(const std::vector<Part>& from, const std::vector<Part>& now,
                  std::vector<Part>& parts);

}  // namespace obliq

// Values of columns of vectors that are there, wherever they lie.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collection/snapshot.h"
#include "index/segment/segment_set.h"
#include "obliq/columns.h"

namespace obliq {

/// Those columns of the schema that one of the segments has.
Columns stored_values(const SegmentSet& set, const ColumnSchema& schema,
                      std::span<const std::uint32_t> slots);

/// Where ids are. Throws std::invalid_argument naming one that is not there.
std::vector<PartRow> places_of(const Snapshot& now, std::span<const std::int64_t> ids);
/// So many NULLs of each column that is named. Throws std::invalid_argument on an unknown name.
Columns null_columns(const Snapshot& now, std::size_t rows, std::span<const std::string> names);
/// See Collection::get_columns.
Columns columns_of(const Snapshot& now, std::span<const std::int64_t> ids,
                   std::span<const std::string> names);

}  // namespace obliq

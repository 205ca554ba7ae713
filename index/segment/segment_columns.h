// The columns of a segment in the file of the segment.
#pragma once

#include <memory>

#include "index/columns/column_table.h"
#include "index/segment/section_reader.h"
#include "index/segment/segment.h"

namespace obliq {

/// Null where the file has none. `segment`: with what the file says of its rows and lists. Refuses
/// what does not fit; with `verify` reads all.
std::shared_ptr<const ColumnTable> read_columns(SectionReader& reader, const Segment& segment,
                                                bool verify);

}  // namespace obliq

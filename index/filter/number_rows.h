// The rows of a segment whose numbers pass a test.
#pragma once

#include <cstdint>
#include <span>

#include "index/columns/column_table.h"
#include "index/filter/bound_filter.h"
#include "index/segment/segment.h"

namespace obliq {

/// Adds them to `words`, [(rows + 63) / 64]; whether a row that is NULL is among them says nothing.
/// Cost: reads the values once for each range of the test, but for long lists whose least and most
/// value decide.
void add_integer_rows(const Segment& segment, const StoredColumn& column,
                      const NumberTest<std::int64_t>& test, std::span<std::uint64_t> words);
void add_double_rows(const Segment& segment, const StoredColumn& column,
                     const NumberTest<double>& test, std::span<std::uint64_t> words);

}  // namespace obliq

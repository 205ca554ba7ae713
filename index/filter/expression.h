// Expressions over columns (obliq/filter.h): parsed once, bound to the columns that there are, and
// evaluated for a segment at a time.
//
// NOT is moved down to the comparisons, which De Morgan's laws allow with three values as with two.
// Then a row passes a comparison or its negation only where it is not NULL, and the rows for which
// an expression is true are made by AND and OR of such sets: no third value is ever stored.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "index/columns/column_table.h"
#include "index/segment/segment.h"
#include "obliq/filter.h"

namespace obliq {

/// An expression as it was written, with the values of its `?`.
class ParsedFilter;

/// Throws std::invalid_argument as Filter::where.
std::shared_ptr<const ParsedFilter> parse_filter(std::string_view text,
                                                 std::vector<FilterValue> params);

/// An expression whose names and types fit a schema.
class BoundFilter;

/// Throws std::invalid_argument, with the place in the text, on a column that there is none of
/// (naming those that are spelt alike), on a value of another type, and on bytes.
std::shared_ptr<const BoundFilter> bind_filter(const std::shared_ptr<const ParsedFilter>& parsed,
                                               const ColumnSchema& schema);

/// Sets the bits of the rows that pass, [(segment.info.rows + 63) / 64] words, zeros behind. The
/// segment has columns of the schema, or lacks them. Cost: reads each column that is named once,
/// but for lists whose range decides.
void evaluate(const BoundFilter& filter, const Segment& segment, std::span<std::uint64_t> words);

}  // namespace obliq

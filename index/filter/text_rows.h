// The rows of a segment whose texts pass a test: keyword, or one of keywords.
#pragma once

#include <cstdint>
#include <span>

#include "index/columns/column_table.h"
#include "index/filter/bound_filter.h"

namespace obliq {

/// Adds them to `words`, [(rows + 63) / 64]; whether a row that is NULL is among them says nothing.
/// Cost: looks for the texts of the test in the dictionary, and reads the codes once; of lists that
/// lie in more than four places of the dictionary with a look at a bit for each.
void add_text_rows(const StoredColumn& column, const TextTest& test, std::size_t rows,
                   std::span<std::uint64_t> words);

}  // namespace obliq

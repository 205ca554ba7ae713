// Tests from the values of a question, once the type of its column is known.
#pragma once

#include <string>

#include "index/filter/bound_filter.h"
#include "index/filter/syntax.h"

namespace obliq {

/// A question about a column of a type, and the text it stands in.
struct TypedQuestion {
  const std::string& text;
  const Predicate& predicate;
  ColumnType type;
};

/// Throw std::invalid_argument with the place of a value whose type is not that of the column.
NumberTest<std::int64_t> bind_integers(const TypedQuestion& question);
NumberTest<double> bind_doubles(const TypedQuestion& question);
TextTest bind_texts(const TypedQuestion& question);
/// A column alone is `= true`.
BoolTest bind_bools(const TypedQuestion& question);

}  // namespace obliq

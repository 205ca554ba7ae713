// Columns between Python and the library. Python's side brings values into one of four forms, all
// of them quick to read; see obliq/columns.py there.
#pragma once

#include <nanobind/nanobind.h>

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "obliq/columns.h"
#include "python/arrays.h"

namespace obliq::python {

/// A byte per row, 0: NULL.
using Valid = nb::ndarray<const std::uint8_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

/// What a call is given.
struct GivenColumns {
  Columns columns;
};

/// Of null: none.
inline std::span<const ColumnValues> given(const GivenColumns* columns) {
  if (columns == nullptr) return {};
  return columns->columns;
}

/// A list of (name, type, values, valid): values are int64, float64 or uint8 (bool) [n], or a list
/// of str, bytes or lists of str, with None for NULL; valid is uint8 [n], or None where there is no
/// NULL, and for lists.
nb::list column_list(const Columns& columns);

/// A dict name -> type.
nb::dict schema_dict(const ColumnSchema& schema);

/// The reverse, of pairs.
ColumnSchema schema_of(const std::vector<std::pair<std::string, std::string>>& pairs);

/// Adds the rows of `more`, columns of the same names.
void append(Columns& columns, const Columns& more);

}  // namespace obliq::python

#include "python/columns.h"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "python/bindings.h"

namespace obliq::python {
namespace {

using Integers = Ids;
using Doubles = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

constexpr std::int64_t kAllFit = -1;

ColumnValues& new_column(GivenColumns& self, const std::string& name, const std::string& type) {
  return self.columns.emplace_back(ColumnSpec{name, parse_column_type(type)});
}

template <typename Array>
void add_numbers(GivenColumns& self, const std::string& name, const std::string& type,
                 const Array& values, const std::optional<Valid>& valid) {
  ColumnValues& column = new_column(self, name, type);
  const std::size_t rows = values.shape(0);
  if (valid && valid->shape(0) != rows) throw nb::value_error("valid must have a byte per row");
  for (std::size_t row = 0; row < rows; ++row) {
    if (valid && valid->data()[row] == 0) {
      column.add_null();
    } else {
      column.add(values.data()[row]);
    }
  }
}

/// The bytes of a str or bytes object, which keeps them; nothing where it is neither, or has lone
/// surrogates.
std::optional<std::string_view> text_of(PyObject* object) {
  if (PyUnicode_Check(object)) {
    Py_ssize_t size = 0;
    const char* text = PyUnicode_AsUTF8AndSize(object, &size);
    if (text != nullptr) return std::string_view(text, static_cast<std::size_t>(size));
    PyErr_Clear();
    return {};
  }
  char* bytes = nullptr;
  Py_ssize_t size = 0;
  if (!PyBytes_Check(object) || PyBytes_AsStringAndSize(object, &bytes, &size) != 0) return {};
  return std::string_view(bytes, static_cast<std::size_t>(size));
}

/// Of keyword and bytes. Returns the first row that is no text, or kAllFit.
std::int64_t add_texts(GivenColumns& self, const std::string& name, const std::string& type,
                       const nb::list& values) {
  ColumnValues& column = new_column(self, name, type);
  for (std::size_t row = 0; row < values.size(); ++row) {
    PyObject* value = PyList_GetItem(values.ptr(), static_cast<Py_ssize_t>(row));
    if (value == Py_None) {
      column.add_null();
      continue;
    }
    const auto text = text_of(value);
    if (!text) return static_cast<std::int64_t>(row);
    column.add(*text);
  }
  return kAllFit;
}

/// Of keywords: the texts of all rows, and of each row where they end. Returns the first place that
/// holds no text, or kAllFit.
std::int64_t add_sets(GivenColumns& self, const std::string& name, const nb::list& texts,
                      const Integers& ends, const std::optional<Valid>& valid) {
  ColumnValues& column = new_column(self, name, "keywords");
  std::vector<std::string_view> set;
  std::int64_t place = 0;
  for (std::size_t row = 0; row < ends.shape(0); ++row) {
    set.clear();
    for (; place < std::min<std::int64_t>(ends.data()[row], std::ssize(texts)); ++place) {
      const auto text = text_of(PyList_GetItem(texts.ptr(), place));
      if (!text) return place;
      set.push_back(*text);
    }
    if (valid && row < valid->shape(0) && valid->data()[row] == 0) {
      column.add_null();
    } else {
      column.add(set);
    }
  }
  return kAllFit;
}

template <typename T, typename Value>
nb::object array_of(std::size_t rows, const Value& value) {
  T* values = nullptr;
  auto array = new_array<T>({rows}, values);
  for (std::size_t row = 0; row < rows; ++row) values[row] = static_cast<T>(value(row));
  return nb::cast(std::move(array));
}

nb::object text_object(std::string_view text, bool is_bytes) {
  if (is_bytes) return nb::bytes(text.data(), text.size());
  return nb::str(text.data(), text.size());
}

nb::object texts_of(const ColumnValues& column) {
  nb::list list;
  for (std::size_t row = 0; row < column.size(); ++row) {
    if (column.is_null(row)) {
      list.append(nb::none());
    } else if (column.type() == ColumnType::keywords) {
      nb::list set;
      for (const std::string_view text : column.texts(row)) set.append(text_object(text, false));
      list.append(set);
    } else {
      list.append(text_object(column.text(row), column.type() == ColumnType::bytes));
    }
  }
  return list;
}

nb::object values_of(const ColumnValues& column) {
  switch (column.type()) {
    case ColumnType::int64:
    case ColumnType::timestamp:
      return array_of<std::int64_t>(column.size(),
                                    [&](std::size_t i) { return column.integer(i); });
    case ColumnType::boolean:
      return array_of<std::uint8_t>(column.size(),
                                    [&](std::size_t i) { return column.integer(i); });
    case ColumnType::float64:
      return array_of<double>(column.size(), [&](std::size_t i) { return column.number(i); });
    case ColumnType::keyword:
    case ColumnType::keywords:
    case ColumnType::bytes:
      break;
  }
  return texts_of(column);
}

bool is_list(ColumnType type) {
  return type == ColumnType::keyword || type == ColumnType::keywords || type == ColumnType::bytes;
}

}  // namespace

nb::list column_list(const Columns& columns) {
  nb::list list;
  for (const ColumnValues& column : columns) {
    nb::object valid = nb::none();
    if (column.has_nulls() && !is_list(column.type())) {
      valid =
          array_of<std::uint8_t>(column.size(), [&](std::size_t i) { return !column.is_null(i); });
    }
    list.append(nb::make_tuple(column.name(), to_string(column.type()), values_of(column), valid));
  }
  return list;
}

nb::dict schema_dict(const ColumnSchema& schema) {
  nb::dict dict;
  for (const ColumnSpec& column : schema) {
    dict[nb::str(column.name.data(), column.name.size())] = to_string(column.type);
  }
  return dict;
}

ColumnSchema schema_of(const std::vector<std::pair<std::string, std::string>>& pairs) {
  ColumnSchema schema;
  for (const auto& [name, type] : pairs) schema.push_back({name, parse_column_type(type)});
  return schema;
}

void append(Columns& columns, const Columns& more) {
  if (columns.empty()) {
    columns = more;
    return;
  }
  for (std::size_t i = 0; i < columns.size(); ++i) {
    for (std::size_t row = 0; row < more[i].size(); ++row) columns[i].add_from(more[i], row);
  }
}

void bind_columns(nb::module_& module) {
  nb::class_<GivenColumns>(module, "Columns")
      .def(nb::init<>())
      .def("add_integers", &add_numbers<Integers>, nb::arg("name"), nb::arg("type"),
           nb::arg("values"), nb::arg("valid").none(),
           nb::sig("def add_integers(self, name: str, type: str, values: NDArray[numpy.int64], "
                   "valid: NDArray[numpy.uint8] | None) -> None"))
      .def("add_doubles", &add_numbers<Doubles>, nb::arg("name"), nb::arg("type"),
           nb::arg("values"), nb::arg("valid").none(),
           nb::sig("def add_doubles(self, name: str, type: str, values: NDArray[numpy.float64], "
                   "valid: NDArray[numpy.uint8] | None) -> None"))
      .def("add_texts", &add_texts, nb::arg("name"), nb::arg("type"), nb::arg("values"),
           nb::sig("def add_texts(self, name: str, type: str, values: list[typing.Any]) -> int"))
      .def("add_sets", &add_sets, nb::arg("name"), nb::arg("texts"), nb::arg("ends"),
           nb::arg("valid").none(),
           nb::sig("def add_sets(self, name: str, texts: list[typing.Any], "
                   "ends: NDArray[numpy.int64], valid: NDArray[numpy.uint8] | None) -> int"));
}

}  // namespace obliq::python

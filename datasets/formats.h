// The table of formats: one row for each suffix, one .cc for each family.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "datasets/element.h"
#include "obliq/matrix_view.h"
#include "obliq/vector_source.h"

namespace obliq::datasets {

/// A file to read: its path, and the dataset inside it where the format has such.
struct Location {
  std::string path;
  std::string dataset;
};

/// What a family of formats can do. All throw as dataset.h says.
struct Format {
  std::string_view suffix;
  Element element;  ///< of a value, where the suffix tells it
  std::unique_ptr<VectorSource> (*open)(const Location& location, Element element);
  Matrix<std::int64_t> (*read_ids)(const Location& location, Element element);
  void (*write)(const std::string& path, const VectorSource& source, Element element);
  void (*write_ids)(const std::string& path, MatrixView<std::int64_t> ids, Element element);
};

/// The row for a path. Throws std::invalid_argument naming the path and the valid suffixes.
const Format& format_of(std::string_view path);

std::unique_ptr<VectorSource> open_hdf5(const Location& location, Element element);
Matrix<std::int64_t> read_hdf5_ids(const Location& location, Element element);
void write_hdf5(const std::string& path, const VectorSource& source, Element element);
void write_hdf5_ids(const std::string& path, MatrixView<std::int64_t> ids, Element element);

}  // namespace obliq::datasets

// The table of formats: one row for each suffix, one .cc for each family.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "datasets/dataset.h"
#include "datasets/element.h"
#include "datasets/flat_format.h"
#include "obliq/matrix_view.h"
#include "obliq/vector_source.h"

namespace obliq::datasets {

/// A row of the table.
struct Format {
  std::string_view suffix;
  const FlatFamily* flat;      ///< nullptr: HDF5
  Element vectors;             ///< type of values, where the suffix and not the file tells it
  std::optional<Element> ids;  ///< type of ids when written; none: the format holds none
  bool is_for_ids = false;     ///< vectors are read from it only on request
};

std::unique_ptr<VectorSource> open_hdf5(const Location& location);
Matrix<std::int64_t> read_hdf5_ids(const Location& location);
void write_hdf5(const std::string& path, const VectorSource& source, const Progress& progress);
void write_hdf5_ids(const std::string& path, MatrixView<std::int64_t> ids);

}  // namespace obliq::datasets

#include "datasets/value_array.h"

#include <fmt/format.h>

#include <stdexcept>

#include "datasets/dataset.h"
#include "datasets/hdf5_reader.h"

namespace obliq::datasets {
namespace {

ValueArray read_hdf5_values(const Location& location) {
  const Hdf5Dataset dataset = Hdf5Reader(location.path).dataset(location.dataset);
  if (dataset.is_text()) return dataset.read_strings();
  if (dataset.cols() != 1) {
    throw std::invalid_argument(
        fmt::format("{}: dataset '{}': a column has one value per vector, not rows of {}",
                    location.path, location.dataset, dataset.cols()));
  }
  if (dataset.is_bool()) return dataset.read_bools();
  if (dataset.is_integral()) return dataset.read_whole();
  return dataset.read_doubles();
}

}  // namespace

std::size_t size_of(const ValueArray& values) {
  return std::visit([](const auto& array) { return array.size(); }, values);
}

ValueArray read_value_array(const std::string& spec, std::string_view dataset) {
  const Location location = locate(spec, dataset);
  if (is_hdf5(location.path)) return read_hdf5_values(location);
  if (told_format(location.path) != "npy") {
    throw std::invalid_argument(fmt::format(
        "'{}' is no file of a column: give an .npy of one axis, an HDF5 dataset FILE:DATASET, or a "
        "table by --columns FILE.csv",
        spec));
  }
  if (location.is_named) {
    throw std::invalid_argument(fmt::format("{}: a .npy file is one array: leave out ':{}'",
                                            location.path, location.dataset));
  }
  const MappedFile map(location.path);
  return parse_npy_values(bytes_of(map));
}

}  // namespace obliq::datasets

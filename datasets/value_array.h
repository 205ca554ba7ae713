// Arrays of one value per vector, as columns are made of: .npy files of one axis, and datasets of
// HDF5 files. Texts are NumPy's of fixed length (S, U), and HDF5's of fixed or variable length; a
// truth value is NumPy's bool, which h5py stores as an enumeration of FALSE and TRUE.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "datasets/file_bytes.h"

namespace obliq::datasets {

/// Integers of any width, numbers of any width, truth values, or texts.
using ValueArray = std::variant<std::vector<std::int64_t>, std::vector<double>, std::vector<bool>,
                                std::vector<std::string>>;

std::size_t size_of(const ValueArray& values);

/// Reads PATH.npy or PATH.hdf5:DATASET; without a dataset that of the name `dataset`. Throws as
/// open_vectors, std::invalid_argument for other formats and types, for an array of two axes unless
/// the second is 1, and naming the row of an unsigned integer that int64 does not hold.
ValueArray read_value_array(const std::string& spec, std::string_view dataset);

/// The same of the bytes of an .npy file.
ValueArray parse_npy_values(const FileBytes& file);

}  // namespace obliq::datasets

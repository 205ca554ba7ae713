// Which of our element types an HDF5 type is.
#pragma once

#include <optional>

#include "datasets/element.h"
#include "datasets/hdf5_handle.h"

namespace obliq::datasets {

/// A type of numbers.
struct NumberType {
  Element element;
  Hdf5Handle memory;  ///< the HDF5 type to read it as: the same numbers, little-endian
};

/// The number type that `stored` is, in either byte order; nothing for types with odd precisions,
/// which HDF5 before 1.14 converts unchecked, and for all that are no numbers of 1, 2, 4 or 8
/// bytes.
std::optional<NumberType> number_type(const Hdf5Handle& stored);

/// Whether it is what h5py makes of numpy's bool: an enumeration FALSE = 0, TRUE = 1 of one byte.
bool is_truth_type(const Hdf5Handle& stored);

/// numpy's float16, which HDF5 has no name for.
Hdf5Handle half_type();

}  // namespace obliq::datasets

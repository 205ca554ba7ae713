// Which of our element types an HDF5 type is.
#pragma once

#include <optional>

#include "datasets/element.h"
#include "datasets/hdf5_handle.h"

namespace obliq::datasets {

/// A number as it is stored.
struct StoredNumber {
  Element element;
  bool swapped;  ///< big-endian
};

/// Nothing for types with odd precisions, which HDF5 before 1.14 converts unchecked, and for all
/// that are no numbers of 1, 2, 4 or 8 bytes.
std::optional<StoredNumber> stored_number(hid_t type);

/// numpy's float16, which HDF5 has no name for.
Hdf5Handle half_type();

}  // namespace obliq::datasets

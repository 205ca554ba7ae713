// Strings in HDF5 files, of fixed or variable length.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "datasets/hdf5_handle.h"

namespace obliq::datasets {

/// Whether values of the type are strings.
bool is_text(const Hdf5Handle& type);

/// The `count` strings of a dataspace. `type` is theirs, as the library gives it; `read` fills
/// the memory that it is given with values of that type, or throws.
std::vector<std::string> read_texts(const Hdf5Handle& type, const Hdf5Handle& space,
                                    std::size_t count, const std::function<void(void*)>& read);

}  // namespace obliq::datasets

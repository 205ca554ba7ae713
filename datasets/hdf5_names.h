// What an HDF5 file holds under a name, for errors that say why a dataset is not found.
#pragma once

#include <string>

#include "datasets/hdf5_handle.h"

namespace obliq::datasets {

/// Whether `name` is a group of the open file.
bool is_group(const Hdf5Handle& file, const std::string& name);

/// "'test', 'train'": the first names in a group; "nothing" for an empty one.
std::string names_in(const Hdf5Handle& file, const std::string& group);

/// "/a/b" for "/a/b/c", "a" for "a/b"; "/" at the root.
std::string group_above(const std::string& name);

}  // namespace obliq::datasets

// The filters that pack the chunks of an HDF5 dataset: gzip, Fletcher32, LZF, Blosc and others, of
// which a build of the library has some.
#pragma once

#include <string>

#include "datasets/hdf5_handle.h"

namespace obliq::datasets {

/// "LZF (filter 32000)": those of the open dataset that the library lacks, with commas; empty when
/// it has all.
std::string missing_filters(const Hdf5Handle& dataset);

/// The same for all of the dataset's filters.
std::string all_filters(const Hdf5Handle& dataset);

}  // namespace obliq::datasets

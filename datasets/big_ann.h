// The big-ann truth file, once it lies in memory.
#pragma once

#include "datasets/dataset.h"
#include "datasets/file_bytes.h"

namespace obliq::datasets {

/// read_truth_bin on bytes.
GroundTruth parse_truth_bin(const FileBytes& file);

}  // namespace obliq::datasets

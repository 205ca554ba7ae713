// What big-ann names and sizes say: cropped files, and the truth file once it lies in memory.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "datasets/dataset.h"
#include "datasets/file_bytes.h"

namespace obliq::datasets {

/// big-ann's "base.1B.fbin.crop_nb_10000000": the name of the file that it was cut from, and the
/// number of rows. Other names are whole.
struct CroppedName {
  std::string_view whole;
  std::optional<std::size_t> rows;
};
CroppedName cropped_name(std::string_view path);

/// Whether the size of the file is that of a truth file with the shape in its first 8 bytes, so
/// that it may be one whatever its name: with distances or without, or of a range search, which
/// read_truth_bin refuses by name. False for what cannot be read.
bool has_truth_size(const std::string& path);

/// read_truth_bin on bytes.
GroundTruth parse_truth_bin(const FileBytes& file);

}  // namespace obliq::datasets

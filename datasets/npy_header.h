// The Python literal that describes the array of a .npy file.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "datasets/file_bytes.h"

namespace obliq::datasets {

/// The three keys, and where in the file their values stand.
struct NpyHeader {
  std::string descr;
  bool fortran_order = false;
  std::vector<std::size_t> shape;
  std::size_t descr_offset = 0;
  std::size_t order_offset = 0;
  std::size_t shape_offset = 0;
};

/// Parses bytes [start, start + length), which the file has. Throws std::runtime_error with the
/// offset of what is not understood, on missing or repeated keys too.
NpyHeader parse_npy_header(const FileBytes& file, std::size_t start, std::size_t length);

}  // namespace obliq::datasets

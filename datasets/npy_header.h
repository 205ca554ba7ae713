// The Python literal that describes the array of a .npy file.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/element.h"
#include "datasets/file_bytes.h"

namespace obliq::datasets {

inline constexpr std::string_view kNpyMagic = "\x93NUMPY";

/// The three keys, and where in the file their values stand.
struct NpyHeader {
  std::string descr;
  bool fortran_order = false;
  std::vector<std::size_t> shape;
  std::size_t descr_offset = 0;
  std::size_t order_offset = 0;
  std::size_t shape_offset = 0;
  std::size_t end = 0;  ///< offset of the first value
};

/// Reads the header of a file. Throws std::runtime_error with the offset of what is not understood,
/// on missing or repeated keys too.
NpyHeader parse_npy_header(const FileBytes& file);

/// The element type that a description such as "<f4" names; nothing for other types.
std::optional<Element> npy_element(std::string_view descr);
std::string_view npy_descr(Element element);

}  // namespace obliq::datasets

// TEXMEX (http://corpus-texmex.irisa.fr): no file header; every row starts with its dim as
// little-endian int32, and all rows of a file are of one dim. Values: .fvecs float32, .bvecs
// uint8, .ivecs int32. The dim of row 0 is checked at opening, those of the others when read.
#include <fmt/format.h>

#include <limits>
#include <stdexcept>

#include "datasets/flat_format.h"
#include "storage/file_error.h"

namespace obliq::datasets {
namespace {

FlatLayout parse(const FileBytes& file, Element element) {
  const auto dim = static_cast<std::int32_t>(read_u32(file, 0));
  if (dim <= 0) throw_damaged(file.name, 0, fmt::format("row 0 has dim {}", dim));
  FlatLayout layout;
  layout.dim = static_cast<std::size_t>(dim);
  layout.element = element;
  layout.row_header_bytes = sizeof dim;
  layout.rows = file.bytes.size() / layout.row_bytes();
  const std::size_t whole = layout.rows * layout.row_bytes();
  if (whole != file.bytes.size()) {
    throw_damaged(file.name, whole,
                  fmt::format("row {} is cut short: {} bytes of {}", layout.rows,
                              file.bytes.size() - whole, layout.row_bytes()));
  }
  return layout;
}

std::vector<std::uint8_t> header(std::size_t, std::size_t, Element) { return {}; }

std::vector<std::uint8_t> row_header(std::size_t dim) {
  if (dim > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    throw std::invalid_argument(fmt::format("dim {} does not fit the int32 of TEXMEX files", dim));
  }
  std::vector<std::uint8_t> bytes;
  append_u32(bytes, static_cast<std::uint32_t>(dim));
  return bytes;
}

}  // namespace

const FlatFamily kTexmex{parse, header, row_header};

}  // namespace obliq::datasets

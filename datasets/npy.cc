// NumPy's .npy, format 1.0 to 3.0 (numpy.lib.format):
//
//     "\x93NUMPY" major minor, header length (uint16 in 1.0, else uint32), header, values
//
// where the header is a Python literal such as
//
//     {'descr': '<f4', 'fortran_order': False, 'shape': (100, 384), }
//
// Little-endian numbers in C order only; one dimension is one column. Objects, which would be
// pickles, are refused.
#include <fmt/format.h>

#include <string>
#include <string_view>

#include "datasets/flat_format.h"
#include "datasets/npy_header.h"
#include "storage/file_error.h"

namespace obliq::datasets {
namespace {

constexpr std::size_t kAlignment = 64;  // of the first value, as NumPy writes it

Element described(const FileBytes& file, const NpyHeader& header) {
  if (const auto element = npy_element(header.descr)) return *element;
  if (header.descr.find('O') != std::string::npos) {
    throw_unfit(file.name, header.descr_offset,
                "holds Python objects (pickles), which are not read; save x.astype('<f4')");
  }
  throw_unfit(file.name, header.descr_offset,
              fmt::format("values of type '{}' are not read, only little-endian numbers; save "
                          "x.astype('<f4')",
                          header.descr));
}

FlatLayout parse(const FileBytes& file, Element) {
  const NpyHeader header = parse_npy_header(file);
  FlatLayout layout;
  layout.element = described(file, header);
  if (header.fortran_order) {
    throw_unfit(file.name, header.order_offset,
                "is in Fortran order; save numpy.ascontiguousarray(x) instead");
  }
  if (header.shape.empty() || header.shape.size() > 2) {
    throw_unfit(
        file.name, header.shape_offset,
        fmt::format("has {} dimensions, not 1 or 2; save x.reshape(n, dim)", header.shape.size()));
  }
  layout.rows = header.shape[0];
  layout.dim = header.shape.size() == 2 ? header.shape[1] : 1;
  layout.is_matrix = header.shape.size() == 2;
  layout.header_bytes = header.end;
  return checked_layout(file, layout, header.shape_offset);
}

std::vector<std::uint8_t> header(std::size_t rows, std::size_t dim, Element element) {
  std::string text = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}, {}), }}",
                                 npy_descr(element), rows, dim);
  const std::size_t unpadded = kNpyMagic.size() + 4 + text.size() + 1;
  text.append((kAlignment - unpadded % kAlignment) % kAlignment, ' ');
  text.push_back('\n');
  std::string start(kNpyMagic);
  start += {'\1', '\0', static_cast<char>(text.size() & 0xFF), static_cast<char>(text.size() >> 8)};
  start += text;
  return {start.begin(), start.end()};
}

std::vector<std::uint8_t> row_header(std::size_t) { return {}; }

}  // namespace

const FlatFamily kNpy{parse, header, row_header};

}  // namespace obliq::datasets

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

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "datasets/flat_format.h"
#include "datasets/npy_header.h"
#include "storage/file_error.h"

namespace obliq::datasets {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kAlignment = 64;  // of the first value, as NumPy writes it

struct Described {
  std::string_view descr;
  Element element;
};
constexpr std::array<Described, 11> kDescribed{{{"<f4", Element::f32},
                                                {"<f2", Element::f16},
                                                {"<f8", Element::f64},
                                                {"|u1", Element::u8},
                                                {"|i1", Element::i8},
                                                {"<u2", Element::u16},
                                                {"<i2", Element::i16},
                                                {"<u4", Element::u32},
                                                {"<i4", Element::i32},
                                                {"<u8", Element::u64},
                                                {"<i8", Element::i64}}};

Element described(const FileBytes& file, const NpyHeader& header) {
  for (const auto& [descr, element] : kDescribed) {
    if (header.descr == descr) return element;
  }
  if (header.descr.find('O') != std::string::npos) {
    throw_unfit(file.name, header.descr_offset,
                "holds Python objects (pickles), which are not read; save x.astype('<f4')");
  }
  throw_unfit(file.name, header.descr_offset,
              fmt::format("values of type '{}' are not read, only little-endian numbers; save "
                          "x.astype('<f4')",
                          header.descr));
}

// Bytes of magic, version and length, and of the text after them.
struct Extent {
  std::size_t start;
  std::size_t length;
};

Extent text_extent(const FileBytes& file) {
  const auto& bytes = file.bytes;
  if (bytes.size() < 10)
    throw_damaged(file.name, bytes.size(), "the file ends inside the npy header");
  if (!std::equal(kMagic.begin(), kMagic.end(), reinterpret_cast<const char*>(bytes.data()))) {
    throw_damaged(file.name, 0, "not an npy file");
  }
  const unsigned major = bytes[6];
  if (major < 1 || major > 3 || bytes[7] != 0) {
    throw_damaged(file.name, 6,
                  fmt::format("npy format {}.{} is not read", major, unsigned{bytes[7]}));
  }
  const Extent extent = major == 1 ? Extent{10, static_cast<std::size_t>(bytes[8] | bytes[9] << 8)}
                                   : Extent{12, read_u32(file, 8)};
  if (extent.start > bytes.size() || extent.length > bytes.size() - extent.start) {
    throw_damaged(file.name, 8,
                  fmt::format("a header of {} bytes does not fit the file", extent.length));
  }
  return extent;
}

FlatLayout parse(const FileBytes& file, Element) {
  const Extent extent = text_extent(file);
  const NpyHeader header = parse_npy_header(file, extent.start, extent.length);
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
  layout.header_bytes = extent.start + extent.length;
  return checked_layout(file, layout, header.shape_offset);
}

std::vector<std::uint8_t> header(std::size_t rows, std::size_t dim, Element element) {
  std::string_view descr;
  for (const auto& row : kDescribed) {
    if (row.element == element) descr = row.descr;
  }
  std::string text = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}, {}), }}",
                                 descr, rows, dim);
  const std::size_t unpadded = kMagic.size() + 4 + text.size() + 1;
  text.append((kAlignment - unpadded % kAlignment) % kAlignment, ' ');
  text.push_back('\n');
  std::string start(kMagic);
  start += {'\1', '\0', static_cast<char>(text.size() & 0xFF), static_cast<char>(text.size() >> 8)};
  start += text;
  return {start.begin(), start.end()};
}

std::vector<std::uint8_t> row_header(std::size_t) { return {}; }

}  // namespace

const FlatFamily kNpy{parse, header, row_header};

}  // namespace obliq::datasets

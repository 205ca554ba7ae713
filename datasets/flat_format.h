// Flat formats: a header, then rows of equal size, which may have a header each.
//
//     [header] ( [row header] [dim values] ) * rows
//
// A family (texmex.cc, big_ann.cc, npy.cc) knows its headers; the rest is here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "datasets/element.h"
#include "datasets/file_bytes.h"
#include "obliq/matrix_view.h"
#include "obliq/progress.h"
#include "obliq/vector_source.h"

namespace obliq::datasets {

/// Where the values of a file lie. Every byte that it speaks of is present.
struct FlatLayout {
  std::size_t rows = 0;
  std::size_t dim = 0;
  Element element = Element::f32;
  std::size_t header_bytes = 0;
  std::size_t row_header_bytes = 0;  ///< 0, or 4: dim again, as int32
  bool is_matrix = true;             ///< false: the file has one axis, which reads as one column

  std::size_t row_bytes() const { return row_header_bytes + dim * element_bytes(element); }
  /// Offset of a row, its header included.
  std::size_t row_offset(std::size_t row) const { return header_bytes + row * row_bytes(); }
};

/// What a family of flat formats knows.
struct FlatFamily {
  /// Reads and checks the headers. Throws std::runtime_error "path: at offset n: reason".
  FlatLayout (*parse)(const FileBytes& file, Element element);
  /// Bytes before the first row. Throws std::invalid_argument when the shape does not fit.
  std::vector<std::uint8_t> (*header)(std::size_t rows, std::size_t dim, Element element);
  /// Bytes before each row; same errors.
  std::vector<std::uint8_t> (*row_header)(std::size_t dim);
};

extern const FlatFamily kTexmex;
extern const FlatFamily kBigAnn;
extern const FlatFamily kNpy;

/// Fills in `rows` x `dim` after checking that exactly these bytes follow the header, at
/// `shape_offset` in the file. Throws std::runtime_error, also when dim is 0.
FlatLayout checked_layout(const FileBytes& file, FlatLayout layout, std::size_t shape_offset);

/// Little-endian value at an offset. Throws std::runtime_error when the file ends before it.
std::uint32_t read_u32(const FileBytes& file, std::size_t offset);
void append_u32(std::vector<std::uint8_t>& bytes, std::uint32_t value);

/// Rows [first, first + count). Throws std::runtime_error when a row's own header disagrees,
/// std::invalid_argument naming row and value when float32 cannot hold one: an integer that it
/// would round, a float64 that would become infinity or 0.
void read_rows(const FileBytes& file, const FlatLayout& layout, std::size_t first,
               std::size_t count, float* out);
/// The same for integers; throws std::invalid_argument when the file holds none.
Matrix<std::int64_t> read_integer_rows(const FileBytes& file, const FlatLayout& layout);

std::unique_ptr<VectorSource> open_flat(const std::string& path, const FlatFamily& family,
                                        Element element);
Matrix<std::int64_t> read_flat_ids(const std::string& path, const FlatFamily& family,
                                   Element element);
/// Write with AtomicFile. Throw std::invalid_argument on a value that does not fit.
void write_flat(const std::string& path, const VectorSource& source, const FlatFamily& family,
                Element element, const Progress& progress);
void write_flat_ids(const std::string& path, MatrixView<std::int64_t> ids, const FlatFamily& family,
                    Element element);

}  // namespace obliq::datasets

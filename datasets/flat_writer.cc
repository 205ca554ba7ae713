// Writing flat formats, in pieces of bounded memory.
#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <stdexcept>
#include <string_view>

#include "datasets/flat_format.h"
#include "datasets/write_in_pieces.h"
#include "storage/atomic_file.h"

namespace obliq::datasets {
namespace {

template <typename Value>
[[noreturn]] void refuse(const std::string& path, std::size_t row, std::size_t column, Value value,
                         Element element) {
  throw std::invalid_argument(fmt::format("{}: row {}, column {}: {} does not fit {}", path, row,
                                          column, value, element_name(element)));
}

// Rows as bytes, and the file they go to.
class FlatRows {
 public:
  FlatRows(const std::string& path, std::size_t rows, std::size_t dim, const FlatFamily& family,
           Element element)
      : path_(path), dim_(dim), element_(element), file_(path), header_(family.row_header(dim)) {
    if (dim == 0) throw std::invalid_argument(path + ": dim must be 1 or more, not 0");
    const auto start = family.header(rows, dim, element);
    bytes_.resize(header_.size() + dim * element_bytes(element));
    file_.expect(start.size() + rows * bytes_.size());
    file_.append(std::as_bytes(std::span(start)));
    std::copy(header_.begin(), header_.end(), bytes_.begin());
  }

  /// Adds a row of dim values; `convert` is from_floats or from_integers.
  template <typename Value, typename Convert>
  void add(const Value* values, Convert convert) {
    const std::size_t done =
        convert(element_, std::span<const Value>(values, dim_), bytes_.data() + header_.size());
    if (done < dim_) refuse(path_, row_, done, values[done], element_);
    file_.append(std::as_bytes(std::span(bytes_)));
    ++row_;
  }

  void commit() { file_.commit(); }

 private:
  std::string path_;
  std::size_t dim_;
  Element element_;
  AtomicFile file_;
  std::vector<std::uint8_t> header_;
  std::vector<std::uint8_t> bytes_;  // of one row
  std::size_t row_ = 0;
};

}  // namespace

void append_u32(std::vector<std::uint8_t>& bytes, std::uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) {
    bytes.push_back(static_cast<std::uint8_t>(value >> shift));
  }
}

void write_flat(const std::string& path, const VectorSource& source, const FlatFamily& family,
                Element element, const Progress& progress) {
  FlatRows rows(path, source.rows(), source.dim(), family, element);
  write_in_pieces(source, "writing", progress, [&](std::size_t, MatrixView<float> piece) {
    for (std::size_t i = 0; i < piece.rows; ++i) rows.add(piece.row(i), from_floats);
  });
  rows.commit();
}

void write_flat_ids(const std::string& path, MatrixView<std::int64_t> ids, const FlatFamily& family,
                    Element element) {
  FlatRows rows(path, ids.rows, ids.cols, family, element);
  for (std::size_t i = 0; i < ids.rows; ++i) rows.add(ids.row(i), from_integers);
  rows.commit();
}

}  // namespace obliq::datasets

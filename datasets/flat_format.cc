// Reading flat formats: whole rows, converted out of the mapped file.
#include "datasets/flat_format.h"

#include <fmt/format.h>

#include <cstring>
#include <span>
#include <stdexcept>

#include "storage/file_error.h"

namespace obliq::datasets {
namespace {

class FlatVectors final : public VectorSource {
 public:
  FlatVectors(const std::string& path, const FlatFamily& family, Element element)
      : map_(path), file_(bytes_of(map_)), layout_(family.parse(file_, element)) {
    if (layout_.is_matrix) return;
    throw_unfit(path, 0,
                fmt::format("vectors are an array [n][dim], not one axis of {} values; save "
                            "x.reshape(n, dim)",
                            layout_.rows));
  }
  std::size_t rows() const override { return layout_.rows; }
  std::size_t dim() const override { return layout_.dim; }
  void read(std::size_t first, std::size_t count, float* out) const override {
    read_rows(file_, layout_, first, count, out);
  }

 private:
  MappedFile map_;
  FileBytes file_;
  FlatLayout layout_;
};

// The values of a row, after a look at its own header.
const std::uint8_t* row_values(const FileBytes& file, const FlatLayout& layout, std::size_t row) {
  const std::size_t offset = layout.row_offset(row);
  if (layout.row_header_bytes > 0) {
    const std::uint32_t dim = read_u32(file, offset);
    if (dim != layout.dim) {
      throw_damaged(file.name, offset,
                    fmt::format("row {} has dim {}, but row 0 has {}", row,
                                static_cast<std::int32_t>(dim), layout.dim));
    }
  }
  return file.bytes.data() + offset + layout.row_header_bytes;
}

void require_held(const FileBytes& file, const FlatLayout& layout, std::size_t row,
                  const std::uint8_t* values, std::span<const float> floats) {
  const std::size_t held = held_by_floats(layout.element, values, floats);
  if (held == floats.size()) return;
  const std::uint8_t* value = values + held * element_bytes(layout.element);
  throw_unfit(file.name, static_cast<std::size_t>(value - file.bytes.data()),
              unheld_text(row, layout.element, value));
}

}  // namespace

FlatLayout checked_layout(const FileBytes& file, FlatLayout layout, std::size_t shape_offset) {
  if (layout.dim == 0) throw_damaged(file.name, shape_offset, "dim is 0");
  if (layout.dim > kMostColumns) {
    throw_damaged(file.name, shape_offset,
                  fmt::format("rows of {} values, at most {} are read", layout.dim, kMostColumns));
  }
  std::size_t row = 0;
  std::size_t all = 0;
  const std::size_t present = file.bytes.size() - layout.header_bytes;
  const bool fits = multiply(layout.dim, element_bytes(layout.element), row) &&
                    multiply(layout.rows, row + layout.row_header_bytes, all);
  if (!fits || all != present) {
    throw_damaged(file.name, shape_offset,
                  fmt::format("{} rows of dim {} ({}) need {} bytes, but {} follow the header",
                              layout.rows, layout.dim, element_name(layout.element),
                              fits ? std::to_string(all) : "too many", present));
  }
  return layout;
}

std::uint32_t read_u32(const FileBytes& file, std::size_t offset) {
  std::uint32_t value = 0;
  if (file.bytes.size() < sizeof value || offset > file.bytes.size() - sizeof value) {
    throw_damaged(file.name, offset,
                  fmt::format("the file ends after {} bytes", file.bytes.size()));
  }
  std::memcpy(&value, file.bytes.data() + offset, sizeof value);
  return value;
}

void read_rows(const FileBytes& file, const FlatLayout& layout, std::size_t first,
               std::size_t count, float* out) {
  if (first > layout.rows || count > layout.rows - first) {
    throw std::invalid_argument(fmt::format("{}: rows {} + {} are beyond the {} it has", file.name,
                                            first, count, layout.rows));
  }
  for (std::size_t row = first; row < first + count; ++row, out += layout.dim) {
    const std::uint8_t* values = row_values(file, layout, row);
    const std::span<float> floats(out, layout.dim);
    to_floats(layout.element, values, floats);
    require_held(file, layout, row, values, floats);
  }
}

Matrix<std::int64_t> read_integer_rows(const FileBytes& file, const FlatLayout& layout) {
  if (!is_integer(layout.element)) {
    throw_unfit(file.name, 0, fmt::format("holds {}, not integers", element_name(layout.element)));
  }
  Matrix<std::int64_t> ids(layout.rows, layout.dim);
  for (std::size_t i = 0; i < layout.rows; ++i) {
    to_integers(layout.element, row_values(file, layout, i), {ids.row(i), layout.dim});
  }
  return ids;
}

std::unique_ptr<VectorSource> open_flat(const std::string& path, const FlatFamily& family,
                                        Element element) {
  return std::make_unique<FlatVectors>(path, family, element);
}

Matrix<std::int64_t> read_flat_ids(const std::string& path, const FlatFamily& family,
                                   Element element) {
  const MappedFile map(path);
  const FileBytes file = bytes_of(map);
  return read_integer_rows(file, family.parse(file, element));
}

}  // namespace obliq::datasets

// What any bytes must survive, for fuzz targets and the test that mutates their corpora: a reader
// either reads all of them or throws std::runtime_error or, where they are sound but of another
// kind, std::invalid_argument; anything else is a bug.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <vector>

#include "datasets/big_ann.h"
#include "datasets/csv.h"
#include "datasets/file_bytes.h"
#include "datasets/flat_format.h"
#include "datasets/range_truth.h"
#include "datasets/value_array.h"

namespace obliq::datasets {

/// Calls read(file) on the bytes. Returns whether they were sound.
template <typename Read>
bool survive(std::span<const std::uint8_t> bytes, Read read) {
  try {
    read(FileBytes{bytes, "bytes"});
    return true;
  } catch (const std::runtime_error&) {
    return false;
  } catch (const std::invalid_argument&) {
    return false;
  }
}

/// Reads a file of a flat family as vectors, and as ids where it holds integers.
inline bool survive_flat(std::span<const std::uint8_t> bytes, const FlatFamily& family,
                         Element element) {
  return survive(bytes, [&](const FileBytes& file) {
    const FlatLayout layout = family.parse(file, element);
    Matrix<float> vectors(layout.rows, layout.dim);
    read_rows(file, layout, 0, layout.rows, vectors.values.data());
    if (is_integer(layout.element)) read_integer_rows(file, layout);
  });
}

inline bool survive_texmex(std::span<const std::uint8_t> bytes) {
  const bool narrow = survive_flat(bytes, kTexmex, Element::u8);
  return survive_flat(bytes, kTexmex, Element::f32) || narrow;
}

inline bool survive_big_ann(std::span<const std::uint8_t> bytes) {
  const bool narrow = survive_flat(bytes, kBigAnn, Element::i8);
  const bool truth = survive(bytes, [](const FileBytes& file) { parse_truth_bin(file); });
  const bool range = survive(bytes, [](const FileBytes& file) { parse_range_truth_bin(file); });
  return survive_flat(bytes, kBigAnn, Element::f32) || narrow || truth || range;
}

inline bool survive_npy(std::span<const std::uint8_t> bytes) {
  const bool values = survive(bytes, [](const FileBytes& file) { parse_npy_values(file); });
  return survive_flat(bytes, kNpy, Element::f32) || values;
}

/// Looks at every field.
inline bool survive_csv(std::span<const std::uint8_t> bytes) {
  return survive(bytes, [](const FileBytes& file) {
    const CsvTable table = parse_csv(file);
    std::size_t letters = 0;
    for (const CsvColumn& column : table.columns) {
      if (column.rows() != table.rows) throw std::logic_error("columns of unequal lengths");
      for (std::size_t row = 0; row < table.rows; ++row) {
        letters += column.field(row).value_or("").size();
      }
    }
    if (letters > file.bytes.size()) throw std::logic_error("more text than the file has");
  });
}

}  // namespace obliq::datasets

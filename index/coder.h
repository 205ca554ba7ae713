// Turns a vector and its centroid into what an entry and a row hold (formulas: segment.h), before
// the list's units are known, and packs both once they are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "index/segment.h"

namespace obliq {

/// The numbers of one coded vector, not yet in units of its list.
struct CodedNumbers {
  float a = 0;        ///< bracket of the sign code
  float b = 0;        ///< |r|^2 / <r,s>
  float bracket = 0;  ///< bracket of the row's code
  Factors factors = {};
  float r2 = 0;        ///< |r|^2
  float sine2 = 0;     ///< squared sine of the angle between r and s
  float tangent2 = 0;  ///< squared tangent of the angle between r and y
};

/// Codes vectors of one quantizer and metric. One for each thread.
class Coder {
 public:
  Coder(const Quantizer& quantizer, Metric metric);

  /// Codes x against centroid c (null: zero), both behind the door. Writes plane_bytes(dim) bytes
  /// of signs and RowShape::rest bytes of code.
  CodedNumbers encode(const float* x, const float* c, std::uint8_t* signs, std::uint8_t* rest);

 private:
  void sign_code(const float* c, const std::uint8_t* signs, CodedNumbers& numbers);
  void row_code(const float* c, CodedNumbers& numbers);
  float bracket(const float* x_hat, const float* c, float r2) const;

  const Quantizer& quantizer_;
  RowShape shape_;
  Metric metric_;
  std::vector<float> residual_;
  std::vector<float> decoded_;
  std::vector<std::uint8_t> code_;
};

/// Sets the record's units to the smallest powers of two that no b, factor base |r| or bracket of
/// its vectors exceeds, and its mean |r|^2.
void choose_units(std::span<const CodedNumbers> numbers, ListRecord& record);

/// Writes one entry: its signs, a, b and row. `entry` counts from the start of blocks.
void write_entry(const std::uint8_t* signs, const CodedNumbers& numbers, const ListRecord& record,
                 std::uint32_t row, std::size_t dim, std::uint64_t entry, std::uint8_t* blocks);

/// Writes the fp16 factors and bracket behind the code of a row.
void write_factors(const RowShape& shape, const CodedNumbers& numbers, const ListRecord& record,
                   std::uint8_t* row);

/// The row number that entry `entry` (counted from the start of blocks) points to.
std::uint32_t entry_row(const std::uint8_t* blocks, std::size_t dim, std::uint64_t entry);

/// The factors behind the code of a row (unit: the list's scale) and its bracket (a_scale).
Factors read_factors(const RowShape& shape, const std::uint8_t* row, float scale);
float read_bracket(const RowShape& shape, const std::uint8_t* row, float a_scale);

}  // namespace obliq

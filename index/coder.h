// Turns a vector and its centroid into what an entry and a row hold (formulas: segment.h), before
// the list's units are known, and packs both once they are.
#pragma once

#include <cstddef>
#include <cstdint>
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

/// A vector to code against a centroid, and where the outcome goes.
struct CodeTask {
  const float* x;       ///< behind the door
  const float* c;       ///< null: zero
  std::uint8_t* signs;  ///< plane_bytes(dim) bytes
  std::uint8_t* rest;   ///< RowShape::rest bytes
  CodedNumbers* numbers;
};

/// Codes vectors of one quantizer and metric, some at a time, because encoders may share work
/// between vectors. One for each thread.
class Coder {
 public:
  Coder(const Quantizer& quantizer, Metric metric);

  /// Codes a vector, now or later. What it points to must live until flush().
  void add(const CodeTask& task);
  /// Codes what has been added and not coded yet.
  void flush();

  /// What an entry of x in the list of c (null: zero) holds: signs, a, b, r2 and sine2. The rest is
  /// left alone.
  void code_entry(const float* x, const float* c, std::uint8_t* signs, CodedNumbers& numbers);

 private:
  /// One vector after its encoder: the residual r, and the code of the row in the batch.
  struct Coded {
    const CodeTask& task;
    const float* residual;
    const std::uint8_t* code;  ///< null: of a second entry
  };
  struct SignSums {
    float residual = 0;
    float centroid = 0;
  };
  void finish(const Coded& coded);
  SignSums sign_sums(const Coded& coded);
  void sign_code(const Coded& coded);
  void row_code(const Coded& coded);
  float bracket(const Coded& coded, float product) const;

  const Quantizer& quantizer_;
  RowShape shape_;
  Metric metric_;
  Matrix<float> residuals_;
  std::vector<float> decoded_;
  std::vector<std::uint8_t> codes_;
  std::vector<CodeTask> tasks_;
};

/// What the units of a list depend on.
struct NumberRange {
  std::size_t count = 0;
  float longest2 = 0;      ///< largest |r|^2
  float most_bracket = 0;  ///< largest size of a bracket
  double r2_sum = 0;

  void add(const CodedNumbers& numbers);
};

/// Sets the record's mean |r|^2 to that of its vectors at home, and its units to the smallest
/// powers of two that no b, factor base |r| or bracket of those exceeds. Second entries count only
/// where they would not fit 2^15 units, so rows are stored as they would be without them.
void choose_units(const NumberRange& home, const NumberRange& second, ListRecord& record);

/// Writes one entry: its signs, a, b and row. `entry` counts from the start of blocks.
void write_entry(const std::uint8_t* signs, const CodedNumbers& numbers, const ListRecord& record,
                 std::uint32_t row, std::size_t dim, std::uint64_t entry, std::uint8_t* blocks);

/// Writes the fp16 factors and bracket behind the code of a row.
void write_factors(const RowShape& shape, const CodedNumbers& numbers, const ListRecord& record,
                   std::uint8_t* row);

/// The row number that entry `entry` (counted from the start of blocks) points to.
std::uint32_t entry_row(const std::uint8_t* blocks, std::size_t dim, std::uint64_t entry);

/// Where the first entry of a row is: what a row of an index with spilled vectors tells. The entry
/// counts from the start of blocks; read_home leaves it 0 where the row does not hold it.
struct RowHome {
  std::uint32_t list = 0;
  std::uint64_t entry = 0;
};
void write_home(const RowShape& shape, const RowHome& home, std::uint8_t* row);
RowHome read_home(const RowShape& shape, const std::uint8_t* row);

/// The factors behind the code of a row (unit: the list's scale) and its bracket (a_scale).
Factors read_factors(const RowShape& shape, const std::uint8_t* row, float scale);
float read_bracket(const RowShape& shape, const std::uint8_t* row, float a_scale);

}  // namespace obliq

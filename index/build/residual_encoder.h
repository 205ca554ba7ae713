// Turns a vector and its centroid into what an entry and a row hold (formulas: segment.h), before
// the list's units are known (entry_format.h packs both once they are).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "index/segment/entry_format.h"
#include "obliq/matrix_view.h"
#include "obliq/metric.h"
#include "obliq/quantizer.h"

namespace obliq {

/// A vector to code against a centroid, and where the outcome goes.
struct EncodeTask {
  const float* x;       ///< after the transform
  const float* c;       ///< null: zero
  bool far;             ///< c is the centroid of a far list (centroid_code.h)
  std::uint8_t* signs;  ///< plane_bytes(dim) bytes
  std::uint8_t* rest;   ///< RowShape::rest bytes
  EncodedNumbers* numbers;
};

/// Codes vectors of one quantizer and metric, some at a time, because encoders may share work
/// between vectors. One for each thread.
class ResidualEncoder {
 public:
  ResidualEncoder(const Quantizer& quantizer, Metric metric);

  /// Codes a vector, now or later. What it points to must live until flush().
  void add(const EncodeTask& task);
  /// Codes what has been added and not coded yet.
  void flush();

  /// What an entry of the task's x in the list of its c holds: signs, f_add, f_rescale, r2 and
  /// sine2. The rest is left alone.
  void code_entry(const EncodeTask& task);

 private:
  /// One vector after its encoder: the residual r, and the code of the row in the batch.
  struct Coded {
    const EncodeTask& task;
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
  float additive_factor(const Coded& coded, float product) const;

  const Quantizer& quantizer_;
  RowShape shape_;
  Metric metric_;
  Matrix<float> residuals_;
  std::vector<float> decoded_;
  std::vector<std::uint8_t> codes_;
  std::vector<EncodeTask> tasks_;
};

}  // namespace obliq

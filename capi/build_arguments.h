// Options of what builds, trains and encodes, and vectors that a callback reads.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "obliq/c/index.h"
#include "obliq/c/status.h"
#include "obliq/index.h"
#include "obliq/vector_source.h"

namespace obliq::capi {

/// The quantizer, raw tier and spill of a preset, of parts that win over it, or of both.
struct Codes {
  std::string quantizer;
  RawTier raw;
  double spill;
};
/// Throws std::invalid_argument on an unknown preset and a raw tier that is none.
Codes codes_of(const char* preset, const char* quantizer, obliq_raw_tier raw, double spill);

/// Throws std::invalid_argument unless it is one.
Metric metric_of(obliq_metric metric);

/// For n vectors of dim. NULL: the defaults. What it views is the caller's.
BuildOptions build_options_of(const obliq_build_options* given, std::size_t n, std::size_t dim);
OpenOptions open_options_of(const obliq_open_options* given);

/// Vectors that a caller's function reads.
class CallbackSource final : public VectorSource {
 public:
  /// Throws std::invalid_argument where there is no function.
  explicit CallbackSource(const obliq_vector_source* given);
  std::size_t rows() const override { return source_.rows; }
  std::size_t dim() const override { return source_.dim; }
  void read(std::size_t first, std::size_t count, float* out) const override;

 private:
  obliq_vector_source source_;
};

}  // namespace obliq::capi

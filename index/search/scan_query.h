// A query made ready for scanning sign blocks: its look-up table and the numbers that turn a LUT
// sum into an estimate and a bound.
//
// The table holds integers of at most 30, so that 8 of them add up inside a byte. One unit is
// `step`; table value v of group g stands for (v - offset) * step. With s the signs of an entry,
// sum over the groups times step, less the sum of all offsets times step, is <s,q> up to rounding
// of standard deviation step * sqrt(groups / 12).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/kernels/kernels.h"

namespace obliq {

/// Degrees of freedom of products with a randomly rotated vector.
inline float degrees_of_freedom(std::size_t dim) {
  return static_cast<float>(std::max<std::size_t>(dim, 2) - 1);
}

class ScanQuery {
 public:
  explicit ScanQuery(std::size_t dim);

  /// Takes a query after the transform.
  void set(const float* query);

  const std::uint8_t* lut() const { return lut_.data(); }
  std::size_t bytes() const { return lut_.size(); }  ///< of the LUT

  /// Fills in what the query knows of a list: LUT step and shift. `spread` is the standard
  /// deviation that the signs leave in <s,q> (0 for plain estimates), `deviations` how many of
  /// them the bound lies below the estimate; both 0 give the estimate itself.
  void set_shift(float spread, float deviations, ScanList& list) const;

 private:
  void set_wide(const float* query, float all);

  std::size_t dim_;
  float step_ = 0;
  float zero_ = 0;  ///< sum of table values that stands for a zero sum
  std::vector<std::uint8_t> lut_;
};

}  // namespace obliq

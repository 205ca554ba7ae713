// The units of a list: powers of two in which its factors are stored as fp16, so that they neither
// overflow nor lose bits.
#pragma once

#include <cstddef>

#include "index/segment/entry_format.h"
#include "index/segment/list_record.h"

namespace obliq {

/// What the units of a list depend on.
struct NumberRange {
  std::size_t count = 0;
  float longest2 = 0;  ///< largest |r|^2
  float most_add = 0;  ///< largest absolute f_add
  double r2_sum = 0;

  void add(const EncodedNumbers& numbers);
};

/// Sets the record's mean |r|^2 to that of its primary entries, and its units to the smallest
/// powers of two of which no |r| of those exceeds one and no f_add 2^15. Second entries count only
/// where they would not fit 2^15 units, and raise a unit to 2^12 times the largest primary number
/// at the most.
void choose_units(const NumberRange& primary, const NumberRange& second, ListRecord& record);

}  // namespace obliq

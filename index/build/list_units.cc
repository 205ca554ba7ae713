// A unit is a power of two, so that dividing by it rounds nothing. Of f_rescale and of the row
// factors, which may exceed |r|, it is the least that |r| of no primary entry exceeds; f_add, which
// falls with |r|^2, takes up to 2^15 units, so that fp16 holds 11 bits of that of short vectors,
// too. Second entries may always reach 2^15 units. For longer ones the unit grows as far as the
// primary entries keep their bits: those that are longer still, of vectors from other tight
// clusters, are not told (entry_format.h).
#include "index/build/list_units.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace obliq {
namespace {

// The smallest power of two >= value; 1 for 0. Kept inside the normal floats.
float power_of_two_above(float value) {
  if (value <= 0) return 1.0F;
  int exponent = 0;
  std::frexp(value, &exponent);
  return std::ldexp(1.0F, std::clamp(exponent, -125, 127));
}

constexpr float kMostUnits = 32768;  // a half keeps its 11 bits up to 2^16

// The unit of a list whose numbers in the primary list are at most `primary`, which takes up to
// `units`, and those of second entries at most `second`.
float unit_of(float primary, float second, float units) {
  constexpr float kMostGrowth = 4096;
  if (primary <= 0) return power_of_two_above(second);
  const float whole = power_of_two_above(primary);
  const float least = std::max(whole / units, std::numeric_limits<float>::min());
  if (second <= whole) return least;
  return std::clamp(power_of_two_above(second) / kMostUnits, least, kMostGrowth * whole);
}

}  // namespace

void NumberRange::add(const EncodedNumbers& numbers) {
  ++count;
  longest2 = std::max(longest2, numbers.r2);
  most_add = std::max({most_add, std::abs(numbers.entry_add), std::abs(numbers.row_add)});
  r2_sum += numbers.r2;
}

void choose_units(const NumberRange& primary, const NumberRange& second, ListRecord& record) {
  record.scale = unit_of(std::sqrt(primary.longest2), std::sqrt(second.longest2), 1);
  record.add_scale = unit_of(primary.most_add, second.most_add, kMostUnits);
  const auto count = static_cast<double>(std::max<std::size_t>(primary.count, 1));
  record.mean_r2 = static_cast<float>(primary.r2_sum / count);
}

}  // namespace obliq

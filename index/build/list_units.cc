// A unit is a power of two, so that dividing by it rounds nothing. It is the least that no number
// of the primary entries exceeds; second entries may reach 2^15 units, where fp16 still holds 11
// bits. For longer ones the unit grows as far as the primary entries keep their bits: those that
// are longer still, of vectors from other tight clusters, are not told (entry_format.h).
#include "index/build/list_units.h"

#include <algorithm>
#include <cmath>

namespace obliq {
namespace {

// The smallest power of two >= value; 1 for 0. Kept inside the normal floats.
float power_of_two_above(float value) {
  if (value <= 0) return 1.0F;
  int exponent = 0;
  std::frexp(value, &exponent);
  return std::ldexp(1.0F, std::clamp(exponent, -125, 127));
}

// The unit of a list whose numbers in the primary list are at most `primary` and those of second
// entries at most `second`. A half keeps its 11 bits up to 2^16.
float unit_of(float primary, float second) {
  constexpr float kMostUnits = 32768;
  constexpr float kMostGrowth = 4096;
  if (primary <= 0) return power_of_two_above(second);
  const float unit = power_of_two_above(primary);
  if (second <= unit) return unit;
  return std::clamp(power_of_two_above(second) / kMostUnits, unit, kMostGrowth * unit);
}

}  // namespace

void NumberRange::add(const EncodedNumbers& numbers) {
  ++count;
  longest2 = std::max(longest2, numbers.r2);
  most_add = std::max({most_add, std::abs(numbers.entry_add), std::abs(numbers.row_add)});
  r2_sum += numbers.r2;
}

void choose_units(const NumberRange& primary, const NumberRange& second, ListRecord& record) {
  record.scale = unit_of(std::sqrt(primary.longest2), std::sqrt(second.longest2));
  record.add_scale = unit_of(primary.most_add, second.most_add);
  const auto count = static_cast<double>(std::max<std::size_t>(primary.count, 1));
  record.mean_r2 = static_cast<float>(primary.r2_sum / count);
}

}  // namespace obliq

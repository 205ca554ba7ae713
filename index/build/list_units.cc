// A unit is a power of two, so that dividing by it rounds nothing. Of f_rescale and of the row
// factors, which may exceed |r| some hundred times, it is the least of which no |r| of a primary
// entry takes more than 2^6; f_add, which falls with |r|^2, takes up to 2^15 units, so that fp16
// holds 11 bits of that of short vectors, too. Spilled entries may always reach 2^15 units. For
// longer ones the unit grows as far as usual entries of the list keep their bits: those that are
// longer still, of vectors from other tight clusters, are not told.
#include "index/build/list_units.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace obliq {
namespace {

constexpr int kUnits = 15;   // a half keeps its 11 bits up to 2^16
constexpr int kGrowth = 12;  // of a unit beyond a list's usual numbers
constexpr int kLengths =
    6;  // |r| in units: row factors may be larger, and those of short ones are not cut off

// The least exponent whose power of two is no less than |value|.
int exponent_above(float value) {
  if (value == 0) return kLeastExponent;
  int exponent = 0;
  if (std::frexp(std::abs(value), &exponent) == 0.5F) --exponent;
  return std::clamp(exponent, kLeastExponent, kMostExponent);
}

int less(int exponent, int units) { return std::max(exponent - units, kLeastExponent); }

void raise(int exponent, std::int16_t& unit) {
  unit = std::max(unit, static_cast<std::int16_t>(exponent));
}

}  // namespace

UnitLimits unit_limits(const TrainedModel& model, std::size_t list) {
  const ListPoint& point = model.lists[list];
  const float r2 = point.mean_r2 > 0 ? point.mean_r2 : model.info.mean_r2;
  const float radius = std::sqrt(r2);
  const float add = r2 + 2 * radius * std::sqrt(point.centroid_norm2);
  const auto limit = [](float usual, int units) {
    return std::min(less(exponent_above(usual), units) + kGrowth, kMostExponent);
  };
  return {limit(radius, kLengths), limit(add, 0)};
}

void hold_primary(const EncodedNumbers& numbers, ListRecord& record) {
  raise(less(exponent_above(std::sqrt(numbers.r2)), kLengths), record.scale_exponent);
  const float add = std::max(std::abs(numbers.entry_add), std::abs(numbers.row_add));
  raise(less(exponent_above(add), kUnits), record.add_exponent);
  record.longest2 = std::max(record.longest2, numbers.r2);
}

void hold_spilled(const UnitLimits& limits, EncodedNumbers& numbers, ListRecord& record) {
  const int scale = less(exponent_above(std::sqrt(numbers.r2)), kUnits);
  const int add = less(exponent_above(numbers.entry_add), kUnits);
  if (scale > limits.scale || add > limits.add || !std::isfinite(numbers.entry_add)) {
    numbers.entry_add = -std::numeric_limits<float>::infinity();
    return;
  }
  raise(scale, record.scale_exponent);
  raise(add, record.add_exponent);
}

}  // namespace obliq

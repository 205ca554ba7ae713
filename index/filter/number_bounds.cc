// Doubles of 2^63 and beyond are compared with integers as such; below, floor and ceil make them
// integers without loss. An integer becomes the nearest double, and a step of nextafter takes that
// to the right side.
#include "index/filter/number_bounds.h"

#include <cmath>
#include <limits>

namespace obliq {
namespace {

constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kBeyond = 0x1p63;  // above all integers; its negative is the least of them

/// The sign of a double less an integer.
int compare(double a, std::int64_t b) {
  if (a >= kBeyond) return 1;
  const auto whole = static_cast<std::int64_t>(a);  // a is the double nearest to b
  return whole < b ? -1 : static_cast<int>(whole > b);
}

}  // namespace

std::optional<std::int64_t> greatest_integer(std::int64_t number, BoundEnd end) {
  if (end == BoundEnd::inside) return number;
  if (number == kLeast) return std::nullopt;
  return number - 1;
}

std::optional<std::int64_t> least_integer(std::int64_t number, BoundEnd end) {
  if (end == BoundEnd::inside) return number;
  if (number == kMost) return std::nullopt;
  return number + 1;
}

std::optional<std::int64_t> greatest_integer(double number, BoundEnd end) {
  if (number >= kBeyond) return kMost;
  const double whole = std::floor(number);
  if (whole < -kBeyond) return std::nullopt;
  return greatest_integer(static_cast<std::int64_t>(whole),
                          whole < number ? BoundEnd::inside : end);
}

std::optional<std::int64_t> least_integer(double number, BoundEnd end) {
  if (number < -kBeyond) return kLeast;
  const double whole = std::ceil(number);
  if (whole >= kBeyond) return std::nullopt;
  return least_integer(static_cast<std::int64_t>(whole), whole > number ? BoundEnd::inside : end);
}

std::optional<double> greatest_double(double number, BoundEnd end) {
  if (end == BoundEnd::inside) return number;
  if (number == -kInfinity) return std::nullopt;
  return std::nextafter(number, -kInfinity);
}

std::optional<double> least_double(double number, BoundEnd end) {
  if (end == BoundEnd::inside) return number;
  if (number == kInfinity) return std::nullopt;
  return std::nextafter(number, kInfinity);
}

std::optional<double> greatest_double(std::int64_t number, BoundEnd end) {
  const auto near = static_cast<double>(number);
  const int side = compare(near, number);
  if (side == 0) return greatest_double(near, end);
  return side < 0 ? near : std::nextafter(near, -kInfinity);
}

std::optional<double> least_double(std::int64_t number, BoundEnd end) {
  const auto near = static_cast<double>(number);
  const int side = compare(near, number);
  if (side == 0) return least_double(near, end);
  return side > 0 ? near : std::nextafter(near, kInfinity);
}

}  // namespace obliq

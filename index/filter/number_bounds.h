// A comparison of a column with a number of another type, without rounding: the values of the
// column's type that satisfy it are all up to, or all from, one of them.
//
//     int64 < 2019.5      up to 2019             double <= 2^53 + 1    up to 2^53
//     int64 > 1e30        from none              double = 2^53 + 1     up to 2^53, from 2^53 + 2
#pragma once

#include <cstdint>
#include <optional>

namespace obliq {

enum class BoundEnd : std::uint8_t { inside, outside };

/// The greatest value that is less than `number`, or equal to it where that is inside; nothing
/// where there is none. Numbers are not NaN.
std::optional<std::int64_t> greatest_integer(std::int64_t number, BoundEnd end);
std::optional<std::int64_t> greatest_integer(double number, BoundEnd end);
std::optional<double> greatest_double(std::int64_t number, BoundEnd end);
std::optional<double> greatest_double(double number, BoundEnd end);

/// The least value that is greater, or equal.
std::optional<std::int64_t> least_integer(std::int64_t number, BoundEnd end);
std::optional<std::int64_t> least_integer(double number, BoundEnd end);
std::optional<double> least_double(std::int64_t number, BoundEnd end);
std::optional<double> least_double(double number, BoundEnd end);

}  // namespace obliq

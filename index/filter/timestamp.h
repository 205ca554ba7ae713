// Times of ISO 8601, as far as filters and tables of columns read them:
//
//     2024-05-31    2024-05-31T12:00    2024-05-31 12:00:00.250    2024-05-31T12:00:00+02:00
//
// A date, or a date and a time behind T or a blank; seconds and up to six digits of them may be
// left out; behind the time Z or an offset +hh:mm, +hhmm or +hh. Without one it is UTC.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace obliq {

/// Microseconds since 1970-01-01T00:00:00Z of a time in the years 1 to 9999; nothing where the text
/// is no such time, or no day of the calendar. There are no leap seconds.
std::optional<std::int64_t> parse_timestamp(std::string_view text);

}  // namespace obliq

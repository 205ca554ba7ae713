// What is said about an expression that is refused: the fault, the line of the text that it is in,
// and a caret below the place.
//
//     filter: there is no column 'yaer'; did you mean 'year'?
//       yaer >= 2020
//       ^
//
// Of a long line the part around the place is shown. Whatever would move the caret or the terminal
// (control characters, marks of direction, bytes that are no UTF-8) is shown as U+FFFD.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace obliq {

/// Throws std::invalid_argument. `place` is a byte of the text, or its end.
[[noreturn]] void refuse_filter(std::string_view text, std::size_t place,
                                const std::string& message);

/// The text in single quotes, made printable, and cut where it is long.
std::string quoted(std::string_view text);

}  // namespace obliq

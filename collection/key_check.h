// What may be an id where ids are strings, a *key*: UTF-8 text of one line. Control characters are
// refused, so that each key is a line of a text file and a column before or behind a tab.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace obliq {

inline constexpr std::size_t kMostKeyBytes = 4096;

/// Why it may be none; empty: it may.
std::string_view fault_of_key(std::string_view key);
/// A key as a message shows it: what is no text as hexadecimal digits, cut behind 60 bytes.
std::string shown_key(std::string_view key);

/// Throws std::invalid_argument naming the position and the key where one is none or comes twice.
void check_keys(std::span<const std::string_view> keys);

}  // namespace obliq

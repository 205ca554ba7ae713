// Names that one may have meant by one that there is none of.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace obliq {

/// At most three of the names, nearest first: those that differ in case alone, and those that two
/// edits lead to, or edits of a third of the letters (an edit: a letter more, less, another one, or
/// two neighbours swapped), where they keep some letter.
std::vector<std::string> near_names(std::string_view name, std::span<const std::string> names);

}  // namespace obliq

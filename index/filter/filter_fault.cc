// A line is taken apart into characters, each printable as one column of a terminal (East Asian
// ones may take two); the caret stands below the character that holds the byte.
#include "index/filter/filter_fault.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <vector>

namespace obliq {
namespace {

constexpr std::size_t kMostQuoted = 40;  // characters
constexpr std::size_t kMostShown = 72;   // characters of a line
constexpr std::uint32_t kReplacement = 0xFFFD;
constexpr std::string_view kUnprintable = "\xEF\xBF\xBD";

struct Character {
  std::size_t bytes = 1;
  std::uint32_t point = kReplacement;  // where there is none
};

std::size_t length_of(std::uint8_t first) {
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first < 0xE0) return 2;
  if (first >= 0xE0 && first < 0xF0) return 3;
  return first >= 0xF0 && first < 0xF5 ? 4 : 0;
}

/// The character at the front of a text that is not empty; a byte that begins none stands alone.
Character first_character(std::string_view text) {
  const auto first = static_cast<std::uint8_t>(text[0]);
  const std::size_t bytes = length_of(first);
  if (bytes == 0 || bytes > text.size()) return {};
  if (bytes == 1) return {1, first};
  std::uint32_t point = first & (0x7FU >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    const auto next = static_cast<std::uint8_t>(text[i]);
    if ((next & 0xC0) != 0x80) return {};
    point = point << 6 | (next & 0x3FU);
  }
  constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool is_sound =
      point >= kLeast[bytes] && point <= 0x10FFFF && (point < 0xD800 || point > 0xDFFF);
  return is_sound ? Character{bytes, point} : Character{};
}

bool is_printable(std::uint32_t point) {
  const bool control = point < 0x20 || (point >= 0x7F && point < 0xA0);
  const bool unseen = (point >= 0x200B && point <= 0x200F) ||
                      (point >= 0x2028 && point <= 0x202E) ||
                      (point >= 0x2060 && point <= 0x206F) || point == 0xFEFF || point == 0xAD;
  return !control && !unseen && point != kReplacement;
}

std::string shown(std::string_view bytes, std::uint32_t point) {
  if (point == '\t' || point == '\r' || point == '\n') return " ";
  return std::string(is_printable(point) ? bytes : kUnprintable);
}

struct Line {
  std::vector<std::string> characters;
  std::size_t column = 0;  // of the place
};

Line line_around(std::string_view text, std::size_t place) {
  const std::size_t before = place == 0 ? std::string_view::npos : text.rfind('\n', place - 1);
  const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
  const std::size_t end = std::min(text.find('\n', place), text.size());
  Line line;
  for (std::size_t at = begin; at < end;) {
    const Character next = first_character(text.substr(at, end - at));
    line.characters.push_back(shown(text.substr(at, next.bytes), next.point));
    at += next.bytes;
    if (at <= place) ++line.column;
  }
  return line;
}

}  // namespace

void refuse_filter(std::string_view text, std::size_t place, const std::string& message) {
  if (place >= text.size()) {  // behind the last word, not on an empty line below it
    const std::size_t last = text.find_last_not_of(" \t\r\n");
    const std::size_t end = last == std::string_view::npos ? 0 : last + 1;
    place = text.find('\n', end) == std::string_view::npos ? text.size() : end;
  }
  const Line line = line_around(text, place);
  const std::size_t all = line.characters.size();
  std::size_t begin = 0;
  if (all > kMostShown && line.column > kMostShown / 2) {
    begin = std::min(line.column - kMostShown / 2, all - kMostShown);
  }
  const std::size_t end = std::min(all, begin + kMostShown);
  std::string part = begin > 0 ? "..." : "";
  const std::size_t caret = part.size() + line.column - begin;
  for (std::size_t i = begin; i < end; ++i) part += line.characters[i];
  if (end < all) part += "...";
  throw std::invalid_argument(
      fmt::format("filter: {}\n  {}\n  {}^", message, part, std::string(caret, ' ')));
}

std::string quoted(std::string_view text) {
  std::string all = "'";
  std::size_t count = 0;
  while (!text.empty()) {
    if (count++ == kMostQuoted) return all + "...'";
    const Character next = first_character(text);
    all += shown(text.substr(0, next.bytes), next.point);
    text.remove_prefix(next.bytes);
  }
  return all + "'";
}

}  // namespace obliq

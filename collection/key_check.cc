// UTF-8 as RFC 3629 has it: no longer form than needed, no surrogates, nothing above U+10FFFF.
#include "collection/key_check.h"

#include <fmt/format.h>

#include <cstdint>
#include <stdexcept>
#include <unordered_map>

namespace obliq {
namespace {

constexpr std::size_t kShown = 60;  // bytes of a key in a message

bool is_control(unsigned char byte) { return byte < 0x20 || byte == 0x7F; }

// Bytes of the character at the front of text that is not empty; 0: it is none.
std::size_t character_bytes(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4) return 0;
  const std::size_t count = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  for (std::size_t i = 1; i < count; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  const unsigned second = byte(1);
  const bool is_wrong = (first == 0xE0 && second < 0xA0) || (first == 0xED && second >= 0xA0) ||
                        (first == 0xF0 && second < 0x90) || (first == 0xF4 && second >= 0x90);
  return is_wrong ? 0 : count;
}

}  // namespace

std::string_view fault_of_key(std::string_view key) {
  if (key.empty()) return "it is empty";
  if (key.size() > kMostKeyBytes) return "it has more than 4096 bytes";
  while (!key.empty()) {
    const std::size_t bytes = character_bytes(key);
    if (bytes == 0) return "it is not UTF-8";
    if (bytes == 1 && is_control(static_cast<unsigned char>(key.front()))) {
      return "it has a control character";
    }
    key.remove_prefix(bytes);
  }
  return {};
}

std::string shown_key(std::string_view key) {
  std::string shown = "'";
  for (std::string_view rest = key.substr(0, kMostKeyBytes); !rest.empty();) {
    if (shown.size() > kShown) return shown + "...'";
    const std::size_t bytes = character_bytes(rest);
    const auto first = static_cast<unsigned char>(rest.front());
    if (bytes == 0 || (bytes == 1 && is_control(first))) {
      shown += fmt::format("\\x{:02x}", first);
      rest.remove_prefix(1);
    } else {
      shown += rest.substr(0, bytes);
      rest.remove_prefix(bytes);
    }
  }
  return shown + "'";
}

void check_keys(std::span<const std::string_view> keys) {
  std::unordered_map<std::string_view, std::size_t> seen;
  seen.reserve(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const std::string_view fault = fault_of_key(keys[i]);
    if (!fault.empty()) {
      throw std::invalid_argument(
          fmt::format("id {} at position {}: {}; ids are 1 to {} bytes of "
                      "UTF-8 without control characters",
                      shown_key(keys[i]), i, fault, kMostKeyBytes));
    }
    const auto [place, is_new] = seen.emplace(keys[i], i);
    if (is_new) continue;
    throw std::invalid_argument(fmt::format("id {} comes twice, at positions {} and {}",
                                            shown_key(keys[i]), place->second, i));
  }
}

}  // namespace obliq

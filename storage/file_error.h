// What goes wrong with a file, always worded the same: "path: cannot do: meaning" where the system
// refuses, "path: [part] at offset n: reason" where the bytes are wrong.
#pragma once

#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>

namespace obliq {

/// Throws std::system_error "path: cannot <operation>: <meaning of error>".
[[noreturn]] void throw_system_error(const std::string& path, std::string_view operation,
                                     int error = errno);

/// Throws std::runtime_error "path: at offset n: reason".
[[noreturn]] void throw_damaged(const std::string& path, std::uint64_t offset,
                                std::string_view reason);

/// Throws std::runtime_error "path: part at offset n: reason".
[[noreturn]] void throw_damaged(const std::string& path, std::string_view part,
                                std::uint64_t offset, std::string_view reason);

}  // namespace obliq

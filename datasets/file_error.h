// What goes wrong with a file, always worded the same: "path: at offset n: reason".
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace obliq::datasets {

/// Throws std::runtime_error "path: at offset n: reason".
[[noreturn]] void fail_at(const std::string& path, std::uint64_t offset, std::string_view reason);

/// Throws std::system_error "path: cannot do" from errno.
[[noreturn]] void fail_system(const std::string& path, std::string_view action);

/// The product, or nothing where it does not fit std::size_t: for sizes that a file claims.
bool multiply(std::size_t a, std::size_t b, std::size_t& product);

}  // namespace obliq::datasets

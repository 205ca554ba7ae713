// Wording of errors in files.
#include "datasets/file_error.h"

#include <fmt/format.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace obliq::datasets {

void fail_at(const std::string& path, std::uint64_t offset, std::string_view reason) {
  throw std::runtime_error(fmt::format("{}: at offset {}: {}", path, offset, reason));
}

void fail_system(const std::string& path, std::string_view action) {
  throw std::system_error(errno, std::generic_category(),
                          fmt::format("{}: cannot {}", path, action));
}

bool multiply(std::size_t a, std::size_t b, std::size_t& product) {
  return !__builtin_mul_overflow(a, b, &product);
}

}  // namespace obliq::datasets

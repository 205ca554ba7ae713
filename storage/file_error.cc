// Wording of errors in files.
#include "storage/file_error.h"

#include <fmt/format.h>

#include <stdexcept>
#include <system_error>

namespace obliq {

void throw_system_error(const std::string& path, std::string_view operation, int error) {
  throw std::system_error(error, std::generic_category(),
                          fmt::format("{}: cannot {}", path, operation));
}

void throw_damaged(const std::string& path, std::uint64_t offset, std::string_view reason) {
  throw std::runtime_error(fmt::format("{}: at offset {}: {}", path, offset, reason));
}

void throw_damaged(const std::string& path, std::string_view part, std::uint64_t offset,
                   std::string_view reason) {
  throw std::runtime_error(fmt::format("{}: {} at offset {}: {}", path, part, offset, reason));
}

}  // namespace obliq

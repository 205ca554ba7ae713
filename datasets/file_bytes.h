// The bytes of a file as the parsers of flat formats take them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "storage/mapped_file.h"

namespace obliq::datasets {

/// Bytes of a file, or of a test, with the name that errors give them.
struct FileBytes {
  std::span<const std::uint8_t> bytes;
  std::string name;
};

/// Those of a mapped file, which must outlive them.
inline FileBytes bytes_of(const MappedFile& file) {
  return {{reinterpret_cast<const std::uint8_t*>(file.bytes().data()), file.bytes().size()},
          file.path()};
}

/// Throws std::invalid_argument "path: at offset n: reason": the file is sound, but not of the kind
/// that is asked for.
[[noreturn]] inline void throw_unfit(const std::string& path, std::size_t offset,
                                     std::string_view reason) {
  throw std::invalid_argument(path + ": at offset " + std::to_string(offset) + ": " +
                              std::string(reason));
}

/// The most values of a row, whatever file claims it: memory is found for a row of a set that has
/// none.
inline constexpr std::size_t kMostColumns = std::size_t{1} << 24;

/// The product, or nothing where it does not fit std::size_t: for sizes that a file claims.
inline bool multiply(std::size_t a, std::size_t b, std::size_t& product) {
  return !__builtin_mul_overflow(a, b, &product);
}

}  // namespace obliq::datasets

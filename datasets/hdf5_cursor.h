// Little-endian numbers from a part of a file, in order, never beyond its end.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "datasets/file_error.h"
#include "datasets/mapped_file.h"

namespace obliq::datasets {

/// Reads bytes [start, start + length) of a file. Whatever is not there throws std::runtime_error
/// "path: at offset n: what ends here".
class Cursor {
 public:
  Cursor(const FileBytes& file, std::uint64_t start, std::uint64_t length, std::string_view what)
      : file_(&file), what_(what), at_(start), end_(start + length) {
    const std::uint64_t present = file.bytes.size();
    if (start > present || length > present - start) {
      fail_at(file.name, start, fmt::format("{} is beyond the end of the file", what));
    }
  }

  std::uint64_t at() const { return at_; }
  std::uint64_t left() const { return end_ - at_; }

  template <typename T>
  T next() {
    T value;
    std::memcpy(&value, take(sizeof value), sizeof value);
    return value;
  }
  std::uint8_t u8() { return next<std::uint8_t>(); }
  std::uint16_t u16() { return next<std::uint16_t>(); }
  std::uint32_t u32() { return next<std::uint32_t>(); }
  std::uint64_t u64() { return next<std::uint64_t>(); }
  void skip(std::uint64_t bytes) { take(bytes); }

  /// Takes the next bytes where they lie.
  const std::uint8_t* take(std::uint64_t bytes) {
    if (bytes > left()) fail(fmt::format("{} ends too early", what_));
    const std::uint8_t* here = file_->bytes.data() + at_;
    at_ += bytes;
    return here;
  }

  /// The next `length` bytes as a cursor of their own.
  Cursor part(std::uint64_t length) {
    const std::uint64_t start = at_;
    skip(length);
    return {*file_, start, length, what_};
  }

  /// Requires these bytes to come next.
  void expect(std::string_view signature) {
    const std::uint64_t start = at_;
    if (std::memcmp(take(signature.size()), signature.data(), signature.size()) != 0) {
      fail_at(file_->name, start, fmt::format("{} does not start as it should", what_));
    }
  }

  [[noreturn]] void fail(std::string_view reason) const { fail_at(file_->name, at_, reason); }

 private:
  const FileBytes* file_;
  std::string_view what_;
  std::uint64_t at_;
  std::uint64_t end_;
};

}  // namespace obliq::datasets

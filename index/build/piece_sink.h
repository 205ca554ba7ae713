// Gathers small pieces of a section before they are written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "storage/section_sink.h"

namespace obliq {

class PieceSink {
 public:
  /// The writer, whose last section takes the bytes, outlives this.
  explicit PieceSink(SectionSink& writer) : writer_(writer) {}

  void append(std::span<const std::uint8_t> bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    if (bytes_.size() >= kPiece) flush();
  }
  template <typename T>
  void append_value(T value) {
    append({reinterpret_cast<const std::uint8_t*>(&value), sizeof value});
  }
  void flush() {
    writer_.append(std::as_bytes(std::span(bytes_)));
    bytes_.clear();
  }

 private:
  static constexpr std::size_t kPiece = std::size_t{1} << 20;

  SectionSink& writer_;
  std::vector<std::uint8_t> bytes_;
};

}  // namespace obliq

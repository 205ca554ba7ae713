// What is gathered while the values of a column pass in the order of the rows: bits, and of each
// list record the least and the most.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace obliq {

class BitCollector {
 public:
  void put(bool bit) {
    if (size_ % 64 == 0) words_.push_back(0);
    words_[size_ / 64] |= std::uint64_t{bit} << size_ % 64;
    zeros_ += bit ? 0 : 1;
    ++size_;
  }
  bool has_zeros() const { return zeros_ > 0; }
  std::vector<std::uint64_t> take() { return std::move(words_); }

 private:
  std::vector<std::uint64_t> words_;
  std::size_t size_ = 0;
  std::size_t zeros_ = 0;
};

template <typename T>
class RangeCollector {
 public:
  /// `list_ends`: of each list record where its rows end; the caller keeps it.
  explicit RangeCollector(std::span<const std::uint32_t> list_ends) : list_ends_(list_ends) {
    using Limits = std::numeric_limits<T>;
    for (std::size_t i = 0; i < list_ends.size(); ++i) {
      ranges_.push_back(Limits::has_infinity ? Limits::infinity() : Limits::max());
      ranges_.push_back(Limits::has_infinity ? -Limits::infinity() : Limits::lowest());
    }
  }

  /// The value of the next row.
  void put(T value, bool valid) {
    while (record_ < list_ends_.size() && row_ == list_ends_[record_]) ++record_;
    ++row_;
    if (!valid || record_ == list_ends_.size()) return;
    T& least = ranges_[2 * record_];
    T& most = ranges_[2 * record_ + 1];
    if (value < least) least = value;
    if (value > most) most = value;
  }
  std::vector<T> take() { return std::move(ranges_); }

 private:
  std::span<const std::uint32_t> list_ends_;
  std::vector<T> ranges_;
  std::size_t record_ = 0;
  std::uint32_t row_ = 0;
};

}  // namespace obliq

// Which vectors of a base are its sample: those of the smallest keys. A key depends on the seed and
// the vector's id alone, so the sample is the same however the base is cut and in whatever order it
// comes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/random.h"

namespace obliq {

/// Of a vector in the sample of a seed; ties go to the smaller id.
inline std::uint64_t key_in_sample(std::uint64_t seed, std::int64_t id) {
  std::uint64_t state = seed;
  state = splitmix64(state) ^ static_cast<std::uint64_t>(id);
  return splitmix64(state);
}

/// A vector with its key.
struct KeyedRow {
  std::uint64_t key;
  std::int64_t id;
  std::uint32_t row;

  bool operator<(const KeyedRow& other) const {
    return std::pair(key, id) < std::pair(other.key, other.id);
  }
};

/// Collects the vectors of the smallest keys, `count` of them or all where there are no more.
/// Memory: 24 bytes for each.
class SmallestKeys {
 public:
  SmallestKeys(std::uint64_t seed, std::size_t count) : seed_(seed), count_(count) {}

  void offer(std::int64_t id, std::uint32_t row) {
    const KeyedRow next = {key_in_sample(seed_, id), id, row};
    if (heap_.size() < count_) {
      heap_.push_back(next);
    } else {
      if (heap_.empty() || !(next < heap_.front())) return;
      std::pop_heap(heap_.begin(), heap_.end());
      heap_.back() = next;
    }
    std::push_heap(heap_.begin(), heap_.end());
  }
  /// By rising key. Ends the collection.
  std::vector<KeyedRow> take() {
    std::sort_heap(heap_.begin(), heap_.end());
    return std::move(heap_);
  }

 private:
  std::uint64_t seed_;
  std::size_t count_;
  std::vector<KeyedRow> heap_;  // the largest key first
};

}  // namespace obliq

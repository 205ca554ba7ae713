// The k nearest answers seen so far: a max-heap on (distance, row), so that ties go to the smaller
// row and the outcome does not depend on the order of arrival.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace obliq {

class TopK {
 public:
  using Answer = std::pair<float, std::uint32_t>;  ///< distance, row

  /// Stands for none where a row is named.
  static constexpr std::uint32_t kNoRow = std::numeric_limits<std::uint32_t>::max();

  /// Forgets all and keeps the best k from now on. k > 0.
  void reset(std::size_t k) {
    k_ = k;
    heap_.clear();
  }

  bool full() const { return heap_.size() == k_; }

  /// What a new answer must not exceed: the k-th distance, +infinity while there are fewer.
  float threshold() const {
    return full() ? heap_.front().first : std::numeric_limits<float>::infinity();
  }

  void push(float distance, std::uint32_t row) {
    const Answer answer{distance, row};
    if (full()) {
      if (!(answer < heap_.front())) return;
      std::pop_heap(heap_.begin(), heap_.end());
      heap_.back() = answer;
    } else {
      heap_.push_back(answer);
    }
    std::push_heap(heap_.begin(), heap_.end());
  }

  /// Multiplies all distances by factor^2, which keeps their order. factor >= 0.
  void scale(float factor) {
    for (Answer& answer : heap_) answer.first = answer.first * factor * factor;
  }

  std::size_t bytes() const { return heap_.capacity() * sizeof(Answer); }

  /// The answers so far, in no order.
  std::span<const Answer> answers() const { return heap_; }

  /// The answers, nearest first. Ends the collection.
  const std::vector<Answer>& sorted() {
    std::sort_heap(heap_.begin(), heap_.end());
    return heap_;
  }

 private:
  std::size_t k_ = 1;
  std::vector<Answer> heap_;
};

}  // namespace obliq

// The k nearest answers seen so far: a max-heap on (distance, id), so that ties go to the smaller
// id and the outcome does not depend on the order of arrival. Ids are read of answers at the same
// distance alone.
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

  /// Tells the ids of rows.
  struct Ids {
    std::int64_t (*id_of)(const void* context, std::uint32_t row);
    const void* context;
  };

  /// Forgets all and keeps the best k from now on, of those whose distance is below `limit`;
  /// +infinity: of all. k > 0. Without `ids` a row's number is its id.
  void reset(std::size_t k, Ids ids = {}, float limit = std::numeric_limits<float>::infinity()) {
    k_ = k;
    before_.ids = ids;
    limit_ = limit;
    heap_.clear();
  }

  bool full() const { return heap_.size() == k_; }
  /// Whether the threshold is a number.
  bool has_threshold() const { return full() || limit_ < std::numeric_limits<float>::infinity(); }

  /// What a new answer must not exceed: the k-th distance or, while there are fewer, the limit.
  float threshold() const { return full() ? heap_.front().first : limit_; }

  void push(float distance, std::uint32_t row) {
    if (!full() && has_threshold() && !(distance < limit_)) return;
    const Answer answer{distance, row};
    if (full()) {
      if (!before_(answer, heap_.front())) return;
      std::pop_heap(heap_.begin(), heap_.end(), before_);
      heap_.back() = answer;
    } else {
      heap_.push_back(answer);
    }
    std::push_heap(heap_.begin(), heap_.end(), before_);
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
    std::sort_heap(heap_.begin(), heap_.end(), before_);
    return heap_;
  }

 private:
  struct Before {
    bool operator()(const Answer& a, const Answer& b) const {
      if (a.first < b.first) return true;
      if (b.first < a.first) return false;
      if (ids.id_of == nullptr || a.second == b.second) return a.second < b.second;
      return ids.id_of(ids.context, a.second) < ids.id_of(ids.context, b.second);
    }
    Ids ids = {};
  };

  std::size_t k_ = 1;
  float limit_ = std::numeric_limits<float>::infinity();
  Before before_;
  std::vector<Answer> heap_;
};

}  // namespace obliq

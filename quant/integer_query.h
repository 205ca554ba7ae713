// A query as integers of at most 14 bits with one step: q ~ step * values. The sums of the integer
// kernels must stay below 2^31, so the step grows when max_code * sum |values| would not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace obliq {

class IntegerQuery {
 public:
  /// For codes of at most `max_code` in size.
  IntegerQuery(std::size_t dim, int max_code);

  /// Rounds `query`, dim finite floats; each value is off by at most step()/2.
  void set(const float* query);

  std::size_t dim() const { return values_.size(); }
  const std::int16_t* values() const { return values_.data(); }
  float step() const { return step_; }

 private:
  std::vector<std::int16_t> values_;
  double max_sum_;  // of |query| / step, such that |values| sum to no more than the kernels take
  float step_ = 0;
};

}  // namespace obliq

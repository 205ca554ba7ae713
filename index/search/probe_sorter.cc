// Dealing into buckets of equal width needs no comparison of pairs; a bucket holds about one key,
// and is sorted by comparisons.
#include "index/search/probe_sorter.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace obliq {
namespace {

// The least and the greatest key, in strands that need not wait for one another.
std::pair<float, float> range_of(std::span<const Probe> probes) {
  constexpr std::size_t kStrands = 4;
  std::array<float, kStrands> least;
  std::array<float, kStrands> greatest;
  least.fill(probes[0].key);
  greatest.fill(probes[0].key);
  for (std::size_t i = 0; i < probes.size(); ++i) {
    float& low = least[i % kStrands];
    float& high = greatest[i % kStrands];
    low = probes[i].key < low ? probes[i].key : low;
    high = probes[i].key > high ? probes[i].key : high;
  }
  return {*std::min_element(least.begin(), least.end()),
          *std::max_element(greatest.begin(), greatest.end())};
}

}  // namespace

void ProbeSorter::sort(std::span<Probe> probes, std::size_t count) {
  if (probes.empty()) return;
  const auto [least, greatest] = range_of(probes);
  const auto last = static_cast<std::uint32_t>(probes.size() - 1);
  const float width = (greatest - least) / static_cast<float>(probes.size());
  if (!std::isnormal(width)) {  // equal keys, or hardly different
    std::sort(probes.begin(), probes.end(), Before{});
    return;
  }
  const float inverse = 1 / width;
  ends_.assign(probes.size(), 0);
  buckets_.resize(probes.size());
  for (std::size_t i = 0; i < probes.size(); ++i) {
    const auto bucket = static_cast<std::uint32_t>((probes[i].key - least) * inverse);
    buckets_[i] = std::min(bucket, last);
    ++ends_[buckets_[i]];
  }
  std::uint32_t sum = 0;
  for (std::uint32_t& end : ends_) {
    const std::uint32_t begin = sum;
    sum += end;
    end = begin;
  }
  dealt_.resize(probes.size());
  for (std::size_t i = 0; i < probes.size(); ++i) dealt_[ends_[buckets_[i]]++] = probes[i];
  std::size_t begin = 0;
  for (std::size_t b = 0; begin < count; begin = ends_[b++]) {
    if (ends_[b] - begin < 2) continue;
    const auto from = dealt_.begin();
    std::sort(from + static_cast<std::ptrdiff_t>(begin), from + ends_[b], Before{});
  }
  std::copy(dealt_.begin(), dealt_.end(), probes.begin());
}

}  // namespace obliq

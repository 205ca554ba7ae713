// Dealing into buckets of equal width needs no comparison of pairs; a bucket holds about one key,
// and is sorted by comparisons.
#include "index/search/probe_sorter.h"

#include <algorithm>
#include <cmath>

namespace obliq {

void ProbeSorter::sort(std::span<Probe> probes, std::size_t count) {
  if (probes.empty()) return;
  float least = probes[0].key;
  float greatest = probes[0].key;
  for (const Probe& probe : probes) {
    least = probe.key < least ? probe.key : least;
    greatest = probe.key > greatest ? probe.key : greatest;
  }
  const std::size_t last = probes.size() - 1;
  const float width = (greatest - least) / static_cast<float>(probes.size());
  if (!std::isnormal(width)) {  // equal keys, or hardly different
    std::sort(probes.begin(), probes.end(), Before{});
    return;
  }
  const float inverse = 1 / width;
  const auto bucket = [&](const Probe& probe) {
    return std::min(static_cast<std::size_t>((probe.key - least) * inverse), last);
  };
  ends_.assign(probes.size(), 0);
  for (const Probe& probe : probes) ++ends_[bucket(probe)];
  std::uint32_t sum = 0;
  for (std::uint32_t& end : ends_) {
    const std::uint32_t begin = sum;
    sum += end;
    end = begin;
  }
  dealt_.resize(probes.size());
  for (const Probe& probe : probes) dealt_[ends_[bucket(probe)]++] = probe;
  std::size_t begin = 0;
  for (std::size_t b = 0; begin < count; begin = ends_[b++]) {
    const auto from = dealt_.begin();
    std::sort(from + static_cast<std::ptrdiff_t>(begin), from + ends_[b], Before{});
  }
  std::copy(dealt_.begin(), dealt_.end(), probes.begin());
}

}  // namespace obliq

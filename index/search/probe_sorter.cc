// Dealing into buckets of equal width needs no comparison of pairs; a bucket holds about one key,
// and is sorted by comparisons.
#include "index/search/probe_sorter.h"

#include <algorithm>
#include <cmath>

#include "core/range_of.h"

namespace obliq {

void ProbeSorter::sort(std::span<Probe> probes, std::size_t count) {
  if (probes.empty()) return;
  const auto [least, greatest] = range_of<4>(std::span<const Probe>(probes), &Probe::key);
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

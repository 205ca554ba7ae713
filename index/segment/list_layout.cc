// Lists are matched by the remainders of their sizes modulo 32: a list of remainder a with one of
// remainder 32 - a fill whole blocks together.
#include "index/segment/list_layout.h"

#include <array>

#include "core/kernels/kernels.h"

namespace obliq {
namespace {

constexpr std::uint64_t kBlock = kBlockEntries;

std::uint64_t round_up(std::uint64_t entries) { return (entries + kBlock - 1) / kBlock * kBlock; }

// Places the lists of one run behind what is placed.
void place_run(std::span<const std::uint32_t> sizes, std::size_t first_list, ListLayout& layout) {
  std::array<std::vector<std::size_t>, kBlock> by_rest;  // lists by size modulo 32
  for (std::size_t l = sizes.size(); l-- > 0;) by_rest[sizes[l] % kBlock].push_back(l);

  const auto place = [&](std::size_t list, std::uint64_t first) {
    layout.first[first_list + list] = first;
    layout.entries = first + sizes[list];
  };
  for (const std::size_t list : by_rest[0]) place(list, layout.entries);
  // Largest rest first: each takes the partner that fills its last block best.
  for (std::size_t rest = kBlock - 1; rest > 0; --rest) {
    while (!by_rest[rest].empty()) {
      const std::size_t list = by_rest[rest].back();
      by_rest[rest].pop_back();
      place(list, round_up(layout.entries));
      for (std::size_t other = kBlock - rest; other > 0; --other) {
        if (by_rest[other].empty()) continue;
        const std::size_t partner = by_rest[other].back();
        by_rest[other].pop_back();
        place(partner, round_up(layout.entries + sizes[partner]) - sizes[partner]);
        break;
      }
    }
  }
  layout.entries = round_up(layout.entries);
}

}  // namespace

ListLayout place_lists(std::span<const std::uint32_t> sizes) {
  ListLayout layout{std::vector<std::uint64_t>(sizes.size()), 0};
  for (std::size_t first = 0; first < sizes.size(); first += kLayoutRun) {
    const std::size_t count = std::min(kLayoutRun, sizes.size() - first);
    place_run(sizes.subspan(first, count), first, layout);
  }
  return layout;
}

}  // namespace obliq

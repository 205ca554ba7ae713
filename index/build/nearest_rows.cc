// With groups, a batch of x first meets the nearest group of each, which settles most of what is to
// come, then the others in the order of their numbers, so that a group's rows are read once for all
// x of the batch that look at them.
#include "index/build/nearest_rows.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <utility>

#include "core/parallel.h"

namespace obliq {
namespace {

std::vector<std::uint32_t> all_numbers(std::size_t count) {
  std::vector<std::uint32_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), 0U);
  return numbers;
}

// The numbers of the groups that hold a row.
std::vector<std::uint32_t> held_groups(const std::vector<std::uint32_t>& sizes) {
  std::vector<std::uint32_t> numbers = all_numbers(sizes.size());
  std::erase_if(numbers, [&](std::uint32_t group) { return sizes[group] == 0; });
  return numbers;
}

std::vector<std::uint32_t> group_sizes(const RowGroups& groups) {
  std::vector<std::uint32_t> sizes(groups.count);
  for (const std::uint32_t group : groups.of_row) ++sizes[group];
  return sizes;
}

std::span<const std::uint32_t> sections_of(const RowGroups& groups, bool is_grouped) {
  return is_grouped ? std::span(groups.of_row) : std::span<const std::uint32_t>();
}

/// A group and the number of an x that looks at it.
using Visit = std::pair<std::uint32_t, std::uint32_t>;

// In the order of the groups, and of the x that look at a group.
void make_visits(const std::vector<Visit>& visits, std::size_t groups, RowScan& scan) {
  std::vector<std::uint32_t> starts(groups + 1);
  for (const Visit& visit : visits) ++starts[visit.first + 1];
  std::partial_sum(starts.begin(), starts.end(), starts.begin());
  std::vector<std::uint32_t> next(starts.begin(), starts.end() - 1);
  std::vector<std::uint32_t> numbers(visits.size());
  for (const auto& [group, x] : visits) numbers[next[group]++] = x;
  for (std::size_t g = 0; g < groups; ++g) {
    scan.scan(g, std::span(numbers).subspan(starts[g], starts[g + 1] - starts[g]));
  }
}

}  // namespace

NearestRows::NearestRows(MatrixView<float> rows) : NearestRows(rows, RowGroups{}) {}

NearestRows::NearestRows(MatrixView<float> rows, const RowGroups& groups)
    : is_grouped_(std::isfinite(groups.margin)),
      points_(is_grouped_ ? group_points(rows, groups) : Matrix<float>()),
      sizes_(is_grouped_ ? group_sizes(groups) : std::vector<std::uint32_t>()),
      margin_(groups.margin),
      rows_(rows, distinct_rows(rows), sections_of(groups, is_grouped_),
            std::max<std::size_t>(sizes_.size(), 1)),
      groups_(points_.view(), held_groups(sizes_), {}, 1) {}

std::size_t NearestRows::grain(std::size_t x, int threads) const {
  const std::size_t each = x / static_cast<std::size_t>(resolve_threads(threads));
  return std::clamp(each, RowScan::kTile, batch());
}

void NearestRows::rank_groups(MatrixView<float> x, std::vector<BoundedRow>* groups) const {
  RowScan scan(groups_, x, margin_);
  scan.scan(0, all_numbers(x.rows));
  for (std::size_t i = 0; i < x.rows; ++i) groups[i] = scan.within(i);
}

// Each x looks at `least` rows at least, where there are as many.
void NearestRows::scan(MatrixView<float> x, std::size_t least, RowScan& scan) const {
  if (!is_grouped_) return scan.scan(0, all_numbers(x.rows));
  std::vector<std::vector<BoundedRow>> groups(x.rows);
  rank_groups(x, groups.data());
  std::vector<Visit> first;
  std::vector<Visit> others;
  for (std::uint32_t i = 0; i < x.rows; ++i) {
    const std::uint32_t nearest = groups[i][0].second;
    std::size_t rows = 0;
    for (const auto& [unused, group] : groups[i]) {
      (group == nearest ? first : others).emplace_back(group, i);
      rows += sizes_[group];
    }
    if (rows >= least) continue;
    while (!others.empty() && others.back().second == i) others.pop_back();
    for (std::uint32_t g = 0; g < sizes_.size(); ++g) {
      if (g != nearest) others.emplace_back(g, i);
    }
  }
  make_visits(first, sizes_.size(), scan);
  make_visits(others, sizes_.size(), scan);
}

void NearestRows::search(MatrixView<float> x, const std::uint32_t* guesses,
                         Nearest* nearest) const {
  for (std::size_t i = 0; i < x.rows; i += batch()) {
    const MatrixView<float> some = x.slice(i, std::min(batch(), x.rows - i));
    RowScan scan(rows_, some, 0, nearest + i, nullptr);
    if (guesses != nullptr) scan.guess(guesses + i);
    this->scan(some, 1, scan);
    scan.finish();
  }
}

void NearestRows::search_some(MatrixView<float> x, std::size_t count, Nearest* nearest,
                              BoundedRow* some) const {
  for (std::size_t i = 0; i < x.rows; i += batch()) {
    const MatrixView<float> part = x.slice(i, std::min(batch(), x.rows - i));
    RowScan scan(rows_, part, count, nearest + i, some + i * count);
    this->scan(part, count, scan);
    scan.finish();
  }
}

}  // namespace obliq

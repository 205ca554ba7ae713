// Shares of few rows say little: each counts with what is expected of it as the word of four rows.
#include "index/search/filtered_stop.h"

#include <algorithm>
#include <cmath>

#include "index/filter/row_filter.h"
#include "index/search/stop_rule.h"

namespace obliq {
namespace {

constexpr double kFarWeight = 0.8;

double share_of(const RowCounts& counts, double expected) {
  constexpr double kPrior = 4;
  return (static_cast<double>(counts.allowed) + kPrior) /
         (static_cast<double>(counts.rows) + kPrior / expected);
}

double share_of_all(const SearchProgress& progress, const SegmentSet& set) {
  return static_cast<double>(progress.plan.filter->count) / static_cast<double>(set.n());
}

// Of the lists that come next, as far as they are ranked.
RowCounts rows_ahead(const SearchProgress& progress, const SegmentSet& set) {
  const ListCursor& cursor = progress.cursor;
  const std::size_t end =
      std::min(cursor.ranked.size(), cursor.taken + lists_ahead(progress.lists));
  RowCounts counts;
  for (std::size_t i = cursor.taken; i < end; ++i) {
    for (std::size_t s = 0; s < set.segments().size(); ++s) {
      const ListDirectory& lists = set.segments()[s].lists;
      const ListRecord* record = lists.find(cursor.ranked[i].list);
      if (record == nullptr || record->is_foreign()) continue;
      counts.rows += record->primaries;
      counts.allowed += progress.plan.filter->segments[s]->in_list[lists.place_of(*record)];
    }
  }
  return counts;
}

// Between those for k 2^i.
RareStop stop_at(std::span<const RareStop> by_rarity, double share) {
  const auto rarity = static_cast<float>(std::log2(std::max(1.0, 1 / share)));
  const auto below = static_cast<std::size_t>(rarity);
  if (below + 1 >= by_rarity.size()) return by_rarity.back();
  const RareStop& low = by_rarity[below];
  const RareStop& high = by_rarity[below + 1];
  const float rest = rarity - static_cast<float>(below);
  if (rest == 0 || std::isinf(low.threshold)) return low;  // high may be -infinity, which is all
  return {low.threshold + rest * (high.threshold - low.threshold),
          low.lists + rest * (high.lists - low.lists)};
}

}  // namespace

double allowed_share(const SearchProgress& progress, const SegmentSet& set) {
  if (progress.plan.filter == nullptr) return 1;
  return share_of(progress.met, share_of_all(progress, set));
}

double filtered_lists(const SearchProgress& progress, const SegmentSet& set) {
  const double all = share_of_all(progress, set);
  const double share = std::min(share_of(progress.met, all), share_of(progress.met_near, all));
  return stop_at(progress.plan.stop.by_rarity, share).lists;
}

std::size_t filtered_least(const SearchProgress& progress, const SegmentSet& set) {
  const double all = share_of_all(progress, set);
  const double near = share_of(progress.met_near, all);
  if (2 * near >= all) return 0;
  return static_cast<std::size_t>(stop_at(progress.plan.stop.by_rarity, near).lists);
}

float filtered_threshold(const SearchProgress& progress, const SegmentSet& set) {
  const double all = share_of_all(progress, set);
  const double here = share_of(progress.met, all);
  const double near = share_of(progress.met_near, all);
  const double ahead = share_of(rows_ahead(progress, set), here);
  const double falls =
      std::log(std::max(1.0, ahead / here)) + kFarWeight * std::log(std::max(1.0, all / near));
  return stop_at(progress.plan.stop.by_rarity, here).threshold - static_cast<float>(falls);
}

}  // namespace obliq

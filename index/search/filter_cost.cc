// A row costs what its bytes and those of a centroid take from memory, since rows of a selective
// filter lie in as many lists as there are rows. A list costs its ranking; where one of its rows
// may be an answer, the way to its blocks and to rows; and the bytes of those blocks that hold such
// a row.
#include "index/search/filter_cost.h"

#include <algorithm>
#include <cmath>

#include "index/filter/row_filter.h"
#include "index/search/filtered_stop.h"
#include "index/segment/entry_format.h"
#include "index/segment/raw_tier.h"

namespace obliq {
namespace {

constexpr double kRow = 8;            // ns, without bytes
constexpr double kRandomByte = 0.04;  // of rows here and there
constexpr double kList = 200;         // to rank it
constexpr double kVisit = 600;        // from the first row that may be an answer on
constexpr double kStreamByte = 0.06;  // of blocks one after the other
constexpr double kRefinedPerAnswer = 5;

double row_cost(const TrainedModel& model) {
  const std::size_t bytes =
      model.row_shape.bytes() + model.dim() + raw_bytes(model.raw_tier(), model.dim());
  return kRow + kRandomByte * static_cast<double>(bytes);
}

// Lists that are still to come.
double lists_to_come(const SearchProgress& progress, const SegmentSet& set) {
  const SearchPlan& plan = progress.plan;
  const auto filled = static_cast<double>(set.filled());
  const double for_k =
      filled * static_cast<double>(plan.k) / static_cast<double>(plan.filter->count);
  double wanted = static_cast<double>(plan.stop.nprobe);
  if (!plan.stop.by_rarity.empty()) wanted = filtered_lists(progress, set);
  return std::clamp(std::max(wanted, for_k), 0.0, filled) - static_cast<double>(progress.lists);
}

}  // namespace

bool is_direct_faster(const SearchProgress& progress, const SegmentSet& set) {
  if (!progress.plan.lists.empty() || !progress.plan.filter->are_few()) return false;
  return is_direct_faster(progress.plan, lists_to_come(progress, set), set);
}

bool is_direct_faster(const SearchPlan& plan, double lists, const SegmentSet& set) {
  const RowFilter& filter = *plan.filter;
  if (!filter.are_few()) return false;
  const TrainedModel& model = set.model();
  const auto rows = static_cast<double>(filter.count);
  const double share = rows / static_cast<double>(set.n());
  const auto filled = static_cast<double>(set.filled());
  const auto has_some = [share](double among) { return 1 - std::pow(1 - share, among); };
  const double visited = has_some(static_cast<double>(set.n()) / filled);
  const double bytes = static_cast<double>(set.block_bytes()) / filled *
                       has_some(static_cast<double>(kBlockEntries));
  const double list = kList + kVisit * visited + kStreamByte * bytes;
  const double refined =
      kRefinedPerAnswer * static_cast<double>(std::min<std::uint64_t>(plan.k, filter.count));
  const double masked = lists * list + refined * row_cost(model);
  return rows * row_cost(model) < masked;
}

}  // namespace obliq

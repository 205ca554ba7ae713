// A row costs what its bytes and those of a centroid take from memory, since rows of a selective
// filter lie in as many lists as there are rows; a list what ranking it and the way to its first
// block take; an entry the bytes of its block, where the block holds a row that may be an answer.
#include "index/search/filter_cost.h"

#include <algorithm>
#include <cmath>

#include "index/filter/row_filter.h"
#include "index/search/filtered_stop.h"
#include "index/segment/entry_format.h"
#include "index/segment/raw_tier.h"

namespace obliq {
namespace {

constexpr double kRow = 25;            // ns, without bytes
constexpr double kRandomByte = 0.045;  // of rows here and there
constexpr double kList = 110;
constexpr double kStreamByte = 0.04;  // of blocks one after the other
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
  const double read = 1 - std::pow(1 - share, static_cast<double>(kBlockEntries));
  const double list_bytes =
      static_cast<double>(set.block_bytes()) / static_cast<double>(set.filled());
  const double list = kList + kStreamByte * list_bytes * read;
  const double refined =
      kRefinedPerAnswer * static_cast<double>(std::min<std::uint64_t>(plan.k, filter.count));
  const double masked = lists * list + refined * row_cost(model);
  return rows * row_cost(model) < masked;
}

}  // namespace obliq

// The bound of a list follows from |q-x| >= |q-c| - |r| and, for ip, from <q,x> <= <q,c> + |q||r|.
// What rounding may have taken from it is given back: a centroid's product with the query is off by
// 1e-5 |q||c| (centroid_code.h), sums of squares by some 1e-6 of themselves.
#include "index/search/range_searcher.h"

#include <algorithm>
#include <cmath>

#include "core/kernels/dispatch.h"
#include "index/search/filter_cost.h"

namespace obliq {
namespace {

constexpr float kProductError = 2e-5F;
constexpr float kRelativeError = 1e-4F;

}  // namespace

RangeSearcher::RangeSearcher(const SegmentSet& set)
    : set_(set),
      router_(set),
      scanner_(router_),
      direct_(router_),
      longest_(set.model().nlist(), -1.0F) {
  for (const Segment& segment : set.segments()) {
    const auto records = segment.lists.records();
    for (std::size_t i = 0; i < records.size(); ++i) {
      if (records[i].primaries == 0 || records[i].is_foreign()) continue;
      float& longest = longest_[segment.lists.list_of(i)];
      longest = std::max(longest, std::sqrt(std::max(0.0F, records[i].longest2)));
    }
  }
}

// What no vector of the list is nearer than, as a distance of the metric; `norm`: |q|.
float RangeSearcher::nearest_in(const PreparedQuery& query, float norm, std::uint32_t list,
                                const Probe& probe) const {
  const TrainedModel& model = set_.model();
  const ListView view = query.view_of(probe);
  const float radius = longest_[list] * (1 + kRelativeError);
  const float point = std::sqrt(model.lists[list].centroid_norm2);
  const float error = kProductError * norm * point;
  if (model.metric() == Metric::ip) {
    return view.base - query.slope() * (norm * radius * (1 + kRelativeError) + error);
  }
  const float distance2 = view.distance * view.distance * (1 - kRelativeError) - 2 * error;
  const float gap = std::sqrt(std::max(0.0F, distance2)) - radius;
  return gap > 0 ? query.slope() * gap * gap + query.offset() : query.offset();
}

// Where nothing is pruned and there are no raw vectors, distances are estimates that may lie below
// what the ball allows: then all lists.
void RangeSearcher::choose_lists(ActiveQuery& query) const {
  auto& [prepared, progress] = query;
  const bool prunes =
      std::isfinite(progress.plan.deviations) || set_.model().raw_form() != RawForm::none;
  const std::size_t dim = set_.model().dim();
  const float norm = std::sqrt(kernels().dot(prepared.values(), prepared.values(), dim));
  for (std::uint32_t list = 0; list < longest_.size(); ++list) {
    if (longest_[list] < 0) continue;
    const Probe probe = router_.probe(prepared.centroids(), list);
    const float nearest = nearest_in(prepared, norm, list, probe);
    if (prunes && !(nearest < progress.plan.radius)) continue;
    progress.probes.push_back({probe, static_cast<std::uint32_t>(progress.probes.size() + 1)});
  }
}

void RangeSearcher::search(const float* from, const SearchPlan& plan, SearchScratch& scratch,
                           std::vector<TopK::Answer>& answers, SearchCounters& counters) const {
  ActiveQuery& query = scratch.query;
  SearchProgress& progress = query.progress;
  answers.clear();
  counters.times.start();
  progress.start(plan, set_);
  if (set_.n() == 0 || (plan.filter != nullptr && plan.filter->count == 0)) return;
  query.prepared.set(from);
  counters.times.lap(Stage::prepare);
  choose_lists(query);
  counters.times.lap(Stage::ranks);
  const auto lists = static_cast<double>(progress.probes.size());
  if (plan.filter != nullptr && is_direct_faster(plan, lists, set_)) {
    direct_.score(query, scratch.scan.refine, counters);
  } else {
    scanner_.walk(query, progress.probes, {}, scratch.scan, counters);
  }
  const Metric metric = set_.model().metric();
  for (auto [distance, slot] : progress.top.sorted()) {
    if (metric != Metric::ip) distance = std::max(distance, 0.0F);
    if (metric == Metric::cosine) distance = std::min(distance, 2.0F);
    if (distance < plan.radius) answers.emplace_back(distance, slot);
  }
  counters.times.lap(Stage::rest);
}

}  // namespace obliq

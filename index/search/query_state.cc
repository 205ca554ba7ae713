#include "index/search/query_state.h"

#include <algorithm>
#include <cmath>

#include "core/kernels/dispatch.h"

namespace obliq {

QueryState::QueryState(const Segment& from)
    : segment(from),
      raw_query(from.dim()),
      query(from.dim()),
      scan(from.dim()),
      centroids(from.dim()),
      scorer(from.quantizer->make_scorer()) {}

void QueryState::start(const float* from, const SearchPlan& how) {
  plan = how;
  restart();
  if (segment.info.n == 0) return;
  transform_query(from);
  scan.set(query.data());
  centroids.set(query.data());
  scorer->set_query(query.data());
}

void QueryState::restart() {
  top.reset(plan.k, plan.excluded);
  probes.clear();
  keys_ahead.clear();
  lists = last_improved = checks = 0;
  entries = 0;
  if (segment.spilled == 0) return;
  views.clear();
  refined.clear();
}

void QueryState::transform_query(const float* from) {
  const std::size_t dim = segment.dim();
  const Metric metric = segment.metric();
  std::copy_n(from, dim, raw_query.data());
  if (metric == Metric::cosine) normalise(raw_query.data(), dim);
  std::copy_n(raw_query.data(), dim, query.data());
  segment.transform->apply(query.data());
  slope = 1;
  offset = 0;
  const float norm = std::sqrt(kernels().dot(raw_query.data(), raw_query.data(), dim));
  if (metric == Metric::cosine) {
    slope = 0.5F;
    offset = norm > 0 ? 0.0F : 0.5F;
  }
  if (metric == Metric::ip && norm > 0) {
    const float stretch = segment.info.typical_norm / norm;
    if (!std::isnormal(stretch)) return;
    for (float& value : query) value *= stretch;
    slope = 1 / stretch;
  }
}

ListView QueryState::view_of(const Probe& probe) const {
  return {&segment.lists[probe.list], slope * probe.base + offset, std::sqrt(probe.distance2)};
}

void QueryState::fetch_more() const {
  prefetch(top.answers().data(), sizeof(TopK::Answer));
  prefetch(scan.lut(), 16 * sign_groups(segment.dim()));
}

void QueryState::write_answers(float* distances, std::int64_t* rows) {
  const auto& answers = top.sorted();
  const bool can_be_negative = segment.metric() == Metric::ip;
  for (std::size_t i = 0; i < plan.k; ++i) {
    const bool found = i < answers.size();
    distances[i] = found ? answers[i].first : std::numeric_limits<float>::infinity();
    if (!can_be_negative) distances[i] = std::max(distances[i], 0.0F);
    rows[i] = found ? static_cast<std::int64_t>(answers[i].second) : -1;
  }
}

}  // namespace obliq

// All groups are ranked by int8 products with their points, 16 at a time, and the nearest are taken
// until they hold the number of lists asked for. Ranges of lists that touch become one.
#include "index/search/near_groups.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "core/kernels/dispatch.h"
#include "core/largest.h"
#include "core/rough_quantile.h"
#include "core/select_least.h"
#include "index/segment/byte_panels.h"
#include "index/segment/list_key.h"

namespace obliq {
namespace {

// Lists looked at: kLookFactor for each one wanted and kLookExtra more, and one in kLookShare of
// all at least. On 1,000,000 x 128 (generated-128-l2, whose queries come from elsewhere than the
// base) in 40,000 lists and 800 groups, recall@10 and microseconds per query, with pools of twice
// the lists wanted and 24 + 1/64 of all more:
//
//                 nprobe 32     128          512
//     all         .898   72     .943  102    .972  199
//     a quarter   .897   49     .938   75    .966  158   with 8 for each one wanted
//                                            .971  158   with 32
//     a fifth     .893   45     .933   69
//     an eighth   .879   41     .916   66
//
// 400 groups cost 3 us less and .010 of recall.
constexpr std::size_t kLookFactor = 32;
constexpr std::size_t kLookExtra = 384;
constexpr std::size_t kLookShare = 4;
constexpr float kMaxByte = 127;
constexpr float kLeastStep = 1e-36F;  // its inverse does not overflow

}  // namespace

std::size_t lists_to_look_at(const TrainedModel& model, std::size_t wanted) {
  const std::size_t nlist = model.info.nlist;
  const std::size_t lists = std::max(kLookFactor * wanted + kLookExtra, nlist / kLookShare);
  return model.groups.empty() || 2 * lists > nlist ? nlist : lists;
}

NearGroups::NearGroups(const TrainedModel& model)
    : model_(model),
      norms_(panel_count(model.groups.size()) * kPanelRows, std::numeric_limits<float>::infinity()),
      steps_(norms_.size()),
      lengths_(norms_.size()) {
  const Metric metric = model.metric();
  for (std::size_t g = 0; g < model.groups.size(); ++g) {
    const GroupRecord& group = model.groups[g];
    norms_[g] = radius_term(metric, model.info.list_weight, group.point.mean_r2);
    if (metric != Metric::ip) norms_[g] += group.point.centroid_norm2;
    steps_[g] = product_weight(metric) * group.point.centroid_scale;
    sizes_.push_back(group.count);
  }
}

// The key of a group less |q|^2, which all l2 keys have in common: norm - step * <q,levels>, with
// the query in bytes, too.
void NearGroups::rank(const CentroidQuery& query, NearGroupsScratch& scratch) const {
  const std::size_t dim = model_.dim();
  const float step = std::max(largest_size(query.values(), dim) / kMaxByte, kLeastStep);
  scratch.query.resize(4 * sign_groups(dim));
  kernels().quantize_bytes(query.values(), dim, 1 / step, scratch.query.data());
  const std::int32_t sum = std::accumulate(scratch.query.begin(), scratch.query.end(), 0);
  const PanelQuery bytes = {std::numeric_limits<float>::infinity(), 0, step, sum};
  const BytePanels panels = {model_.group_panels.data(), norms_.data(), lengths_.data(),
                             steps_.data(), panel_count(model_.groups.size())};
  scratch.groups.resize(norms_.size());
  scratch.keys.resize(norms_.size());
  std::uint32_t found = 0;
  kernels().scan_panels(scratch.query.data(), &bytes, 1, panels, sign_groups(dim),
                        scratch.groups.data(), scratch.keys.data(), &found);
  scratch.groups.resize(found);
  scratch.keys.resize(found);
}

void NearGroups::find(const CentroidQuery& query, std::size_t lists, NearGroupsScratch& scratch,
                      std::vector<ListRun>& ranges, SearchCounters& counters) const {
  const auto nlist = static_cast<std::uint32_t>(model_.info.nlist);
  ranges.assign(1, {0, nlist});
  if (lists >= nlist) return;
  rank(query, scratch);
  counters.groups += model_.groups.size();
  const std::vector<float>& keys = scratch.keys;
  if (keys.empty()) return;
  const auto size = [&](std::size_t i) { return sizes_[scratch.groups[i]]; };
  const float limit = rough_quantile(keys, lists, size);
  scratch.near.resize(norms_.size() + kSelectRoom);
  const std::size_t found =
      kernels().select_below(keys.data(), keys.size(), limit, scratch.near.data());
  ranges.clear();
  std::size_t held = 0;
  for (std::size_t i = 0; i < found; ++i) {
    const std::uint32_t near = scratch.near[i];
    const std::uint32_t first = model_.groups[scratch.groups[near]].first;
    if (ranges.empty() || ranges.back().first + ranges.back().count != first) {
      ranges.push_back({first, 0});
    }
    ranges.back().count += size(near);
    held += size(near);
  }
  if (held < lists) ranges.assign(1, {0, nlist});  // keys that are no numbers, of a damaged file
}

}  // namespace obliq

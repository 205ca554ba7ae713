// The score is linear in three features of a search at a check; StopScale brings keys and distances
// of each metric to squared distances, so that the same weights serve all.
#include "index/search/stop_rule.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace obliq {
namespace {

constexpr float kLastWeight = -1.0F;
constexpr float kNextWeight = -3.5F;
constexpr std::size_t kLeastAhead = 8;

}  // namespace

float stop_score(const StopFeatures& features) {
  if (!(features.kth > 0)) return -std::numeric_limits<float>::infinity();
  const auto m = static_cast<float>(features.lists);
  return -kListsWeight * std::log1p(m) + kLastWeight * features.last / m +
         kNextWeight * features.next / features.kth;
}

std::size_t lists_ahead(std::size_t lists) { return std::max(kLeastAhead, lists / 2); }

std::size_t next_check(std::size_t lists) { return lists + std::max<std::size_t>(1, lists / 4); }

StopScale::StopScale(Metric metric, float slope, float offset, float typical_norm)
    : slope_(slope), offset_(offset), stretch_(1), shift_(0) {
  if (metric != Metric::ip) return;
  stretch_ = 2;
  shift_ = 2 * typical_norm * typical_norm;
}

float StopScale::distance(float metric_distance) const {
  return stretch_ * (metric_distance - offset_) / slope_ + shift_;
}

}  // namespace obliq

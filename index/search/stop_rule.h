// When a query has seen enough lists: a linear rule of three terms that stands for the logarithm of
// the expected hits among the entries to come. After m lists
//
//     score = -.9 log(1 + m) - 1 last / m - 3.5 next / kth
//
// and the search stops once score < threshold. `last` is the number of lists since the k-th
// distance last decreased, `next` the mean key (segment/list_key.h) of the lists that come next,
// max(8, m/2) of them, and `kth` the current k-th distance. The weights are a Poisson regression's,
// fitted on two sets of text embeddings; they served each other's set as well as their own, so they
// are constants and only the threshold is learnt (tune/tuning.h).
//
// Keys and k-th distance must be on one scale with a zero that means something, since they are
// divided: that of |q-x|^2. l2 and cosine are affine in it. For ip, |q-x|^2 = |q|^2 + |x|^2 -
// 2<q,x> with t^2, the mean square length of the base, for |x|^2; after the transform |q| = t, too.
// A list's key -<q,c> - (1-w)/2 mean |r|^2 becomes 2 t^2 + 2 key, which is |q-c|^2 + w mean |r|^2
// where lists have vectors of typical length, and the k-th distance 2 t^2 - 2 <q,x>.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/top_k.h"
#include "obliq/metric.h"

namespace obliq {

/// What log(1 + lists) takes from a score.
constexpr float kListsWeight = 0.9F;

/// What the rule looks at.
struct StopFeatures {
  std::size_t lists;  ///< scanned so far, m
  float last;         ///< lists since the k-th distance last decreased
  float next;         ///< mean key of the lists that come next
  float kth;          ///< k-th distance so far
};

/// The score; -infinity where the k-th distance is zero, or below, as ip allows.
float stop_score(const StopFeatures& features);

/// How many of the next lists make up StopFeatures::next.
std::size_t lists_ahead(std::size_t lists);

/// After how many lists to look next: 1, 2, ... 8, 10, 12, 15 and so on by a quarter. The rule
/// itself applies from kFirstStop lists.
std::size_t next_check(std::size_t lists);
constexpr std::size_t kFirstStop = 2;

/// Brings distances and keys of one query to the scale of |q-x|^2.
class StopScale {
 public:
  /// A distance of the metric is slope * (that after the transform) + offset. `typical_norm` is
  /// for ip, which brings |q| after the transform to it.
  StopScale(Metric metric, float slope, float offset, float typical_norm);

  float distance(float metric_distance) const;
  /// The same as a line: rise * metric_distance + at_zero.
  float rise() const { return stretch_ / slope_; }
  float at_zero() const { return shift_ - stretch_ * offset_ / slope_; }
  float key(float router_key) const { return stretch_ * router_key + shift_; }

 private:
  float slope_;
  float offset_;
  float stretch_;  // of distances after the transform
  float shift_;
};

/// A search at one of its checks.
struct StopCheck {
  std::size_t lists;
  std::uint64_t entries;
  float score;  ///< +infinity where the rule may not stop: too few lists, or fewer than k answers
  std::span<const TopK::Answer> answers;  ///< in no order
  std::uint64_t rows = 0;                 ///< refined, and raw vectors compared
};

/// Watches a search, for tuning. Rows are what the counters of the search hold.
class StopObserver {
 public:
  virtual ~StopObserver() = default;
  /// Called at each check, and once more after the last list.
  virtual void check(const StopCheck& check) = 0;
};

}  // namespace obliq

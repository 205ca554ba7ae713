// A target recall is looked up in the tuning; the stop rule is used under a filter wherever tuning
// knows its thresholds, since that alone sees how the rows that may be answers lie around a query.
#include "index/search_planner.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

#include "index/external_ids.h"
#include "index/search/confidence.h"
#include "index/segment/tuning_section.h"

namespace obliq {
namespace {

void check_lists(const TrainedModel& model, std::size_t queries, const SearchOptions& options) {
  const MatrixView<std::uint32_t> lists = options.lists;
  if (lists.rows == 0) return;
  if (lists.rows != queries) {
    throw std::invalid_argument(
        fmt::format("lists are given for {} queries, there are {}", lists.rows, queries));
  }
  if (lists.cols == 0) {
    throw std::invalid_argument(
        "lists name none for any query: name one or more, or leave lists out");
  }
  if (options.nprobe || options.target_recall > 0) {
    throw std::invalid_argument(
        "lists tell which lists are scanned: leave nprobe and target_recall out");
  }
  std::vector<std::uint32_t> row;
  for (std::size_t q = 0; q < queries; ++q) {
    row.assign(lists.row(q), lists.row(q) + lists.cols);
    std::erase(row, kNoList);
    std::sort(row.begin(), row.end());
    if (!row.empty() && row.back() >= model.nlist()) {
      throw std::invalid_argument(
          fmt::format("list {} of query {}: the index has {} lists, which count from 0", row.back(),
                      q, model.nlist()));
    }
    const auto twice = std::adjacent_find(row.begin(), row.end());
    if (twice == row.end()) continue;
    throw std::invalid_argument(
        fmt::format("query {} names list {} twice: name each once", q, *twice));
  }
}

void check_within(std::size_t queries, const SearchOptions& options) {
  const MatrixView<float> within = options.within;
  if (within.rows == 0) return;
  if (within.rows != queries || within.cols != 1) {
    throw std::invalid_argument(
        fmt::format("within is {} x {}, expected {} x 1", within.rows, within.cols, queries));
  }
  if (options.lists.rows == 0) {
    throw std::invalid_argument(
        "within bounds the answers of some lists: name them, or use range_search");
  }
  for (std::size_t q = 0; q < queries; ++q) {
    if (!std::isnan(*within.row(q))) continue;
    throw std::invalid_argument(fmt::format("within is NaN for query {}: give a distance", q));
  }
}

// Of all n vectors about as many are as near as the k-th of `allowed` ones.
std::size_t answers_of_all(std::size_t k, std::size_t allowed, std::size_t n) {
  const double all = static_cast<double>(k) / static_cast<double>(allowed) * static_cast<double>(n);
  return static_cast<std::size_t>(std::min(all, static_cast<double>(n)));
}

}  // namespace

void check_search(const TrainedModel& model, MatrixView<float> queries,
                  const SearchOptions& options) {
  if (queries.cols != model.dim()) {
    throw std::invalid_argument(
        fmt::format("queries have dim {}, the index has {}", queries.cols, model.dim()));
  }
  check_lists(model, queries.rows, options);
  check_within(queries.rows, options);
  if (options.k == 0) throw std::invalid_argument("k must be 1 or more");
  if (options.nprobe == 0) throw std::invalid_argument("nprobe must be 1 or more");
  if (!(options.confidence > 0 && options.confidence <= 1)) {
    throw std::invalid_argument(
        fmt::format("confidence must be in (0, 1], not {}", options.confidence));
  }
  if (!(options.target_recall >= 0 && options.target_recall < 1)) {
    throw std::invalid_argument(fmt::format(
        "target_recall must be in (0, 1), or 0 for none, not {}", options.target_recall));
  }
  require_finite(queries, "query", 0, model.metric());
}

// Those of the confidence that most calls have are worked out once, since that takes a hundredth of
// a query; those of the last plan are kept with it.
float deviations_of(float confidence) {
  const auto found = [](float p) { return static_cast<float>(normal_quantile(p)); };
  static const float usual = found(SearchOptions{}.confidence);
  return confidence == SearchOptions{}.confidence ? usual : found(confidence);
}

void check_answers(std::size_t queries, std::size_t k) {
  constexpr std::size_t kMost =
      std::numeric_limits<std::ptrdiff_t>::max() / (sizeof(float) + sizeof(std::int64_t));
  if (queries > 0 && k > kMost / queries) {
    throw std::invalid_argument(
        fmt::format("k is {}: no memory holds the answers of {} queries", k, queries));
  }
}

SearchPlanner::SearchPlanner(const SegmentSet& set, Tuning tuning, bool has_changed)
    : set_(set), has_changed_(has_changed), tuned_(std::move(tuning)) {}

Tuning SearchPlanner::tuning() {
  const std::lock_guard lock(mutex_);
  return tuned_;
}

double SearchPlanner::within_reach(double recall, std::size_t k) {
  const std::lock_guard lock(mutex_);
  return tuned_.ladders.empty() ? recall : reachable_recall(tuned_, recall, k);
}

void SearchPlanner::set_tuning(Tuning tuning) {
  const std::lock_guard lock(mutex_);
  tuned_ = std::move(tuning);
  last_.k = 0;
}

PlannedSearch SearchPlanner::plan(const SearchOptions& options,
                                  std::shared_ptr<const RowFilter> rows, std::size_t passed) {
  PlannedSearch planned;
  planned.rows = std::move(rows);
  SearchPlan& plan = planned.plan;
  plan.k = options.k;
  plan.deviations = deviations_of(options.confidence);
  plan.filter = planned.rows.get();
  if (options.lists.rows > 0) return planned;
  const std::size_t k = options.k + std::min(passed, set_.n());
  const PlannedStop chosen = stop(options, k);
  plan.stop = chosen.stop;
  const bool is_usual = options.confidence == SearchOptions{}.confidence;
  const bool is_cut = options.nprobe && *options.nprobe < plan.stop.nprobe;
  if (is_usual && !is_cut && plan.filter == nullptr) plan.deviations = chosen.deviations;
  if (plan.filter != nullptr) plan_filtered(options, k, planned);
  if (options.nprobe) plan.stop.nprobe = std::min(plan.stop.nprobe, *options.nprobe);
  return planned;
}

void SearchPlanner::plan_filtered(const SearchOptions& options, std::size_t k,
                                  PlannedSearch& planned) {
  const bool aims = options.target_recall > 0;
  StopPolicy& stop = planned.plan.stop;
  const IndexExtent all = extent();
  if ((options.nprobe && !aims) || all.nlist == 0 || planned.rows->count == 0) return;
  const std::lock_guard lock(mutex_);
  if (tuned_.queries == 0) {
    stop = plan_untuned(answers_of_all(k, planned.rows->count, all.n), all);
    return;
  }
  const double recall = aims ? options.target_recall : default_recall_at(tuned_, k);
  planned.stops = stops_by_rarity(tuned_, recall, k, all);
  if (!std::isfinite(planned.stops.front().threshold)) {
    stop = {all.nlist, {}};
    return;
  }
  stop = {all.nlist, planned.stops.front().threshold, stop.least, planned.stops};
}

// Without regard to nprobe where there is a target.
SearchPlanner::PlannedStop SearchPlanner::stop(const SearchOptions& options, std::size_t k) {
  const IndexExtent all = extent();
  const bool aims = options.target_recall > 0;
  if (all.nlist == 0 || (options.nprobe && !aims)) return {{options.nprobe.value_or(1), {}}};
  const std::lock_guard lock(mutex_);
  if (tuned_.queries == 0 && all.n < kLeastTuned) return {{all.nlist, {}}};
  if (last_.k == k && last_.recall == options.target_recall) return last_.planned;
  PlannedStop planned = {aims ? plan_recall(tuned_, options.target_recall, k, all)
                              : plan_default(tuned_, k, all)};
  if (planned.stop.confidence) planned.deviations = deviations_of(*planned.stop.confidence);
  last_ = {k, options.target_recall, planned};
  return planned;
}

}  // namespace obliq

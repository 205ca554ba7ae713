// Range search, its answers one query after the other. A query is told to be cut by one answer more
// than may be returned.
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <stdexcept>

#include "core/parallel.h"
#include "index/index_access.h"
#include "index/index_impl.h"
#include "index/search/range_searcher.h"

namespace obliq {
namespace {

using Answers = std::vector<TopK::Answer>;

void check_range(const IndexParts& parts, MatrixView<float> queries, float radius,
                 const RangeSearchOptions& options) {
  SearchOptions as_search;
  as_search.confidence = options.confidence;
  check_search(parts.set.model(), queries, as_search);
  if (std::isnan(radius)) throw std::invalid_argument("the radius is NaN: give a distance");
  if (options.exact && parts.set.model().raw_tier() == RawTier::none) {
    throw std::invalid_argument(
        "exact takes raw vectors, which the index does not keep: build it with raw fp32 or fp16");
  }
}

// `radius`: cosine distances are at most 2, and estimates above are cut to it.
SearchPlan plan_of(Metric metric, const RowFilter* filter, float radius,
                   const RangeSearchOptions& options) {
  SearchPlan plan;
  if (metric == Metric::cosine && radius > 2) radius = std::numeric_limits<float>::infinity();
  plan.k = std::numeric_limits<std::size_t>::max();
  if (options.max_results > 0 && options.max_results < plan.k) plan.k = options.max_results + 1;
  plan.deviations =
      options.exact ? std::numeric_limits<float>::infinity() : deviations_of(options.confidence);
  plan.filter = filter;
  plan.radius = radius;
  plan.skips_foreign = true;
  return plan;
}

// Cuts them where they are too many.
void append(Answers& answers, std::size_t most, RangeSearchResult& result,
            std::vector<std::int64_t>& slots) {
  const bool is_cut = most > 0 && answers.size() > most;
  if (is_cut) answers.resize(most);
  for (const auto& [distance, slot] : answers) {
    result.distances.push_back(distance);
    slots.push_back(static_cast<std::int64_t>(slot));
  }
  result.cut.push_back(is_cut ? 1 : 0);
  result.lims.push_back(slots.size());
  Answers().swap(answers);
}

}  // namespace

RangeSearchResult Index::range_search(MatrixView<float> queries, float radius,
                                      const RangeSearchOptions& options) const {
  IndexParts& parts = *impl_;
  check_range(parts, queries, radius, options);
  const std::shared_ptr<const RowFilter> rows = parts.rows(options.filter);
  const SearchPlan plan = plan_of(parts.set.model().metric(), rows.get(), radius, options);
  const RangeSearcher searcher(parts.set);
  std::vector<Answers> found(queries.rows);
  parallel_for(queries.rows, 1, options.threads, [&](std::size_t begin, std::size_t end, int) {
    auto scratch = parts.pools->single.take(parts.set.model());
    SearchCounters counters;
    for (std::size_t q = begin; q < end; ++q) {
      searcher.search(queries.row(q), plan, *scratch, found[q], counters);
    }
    parts.pools->single.give_back(std::move(scratch));
  });
  RangeSearchResult result;
  result.lims.push_back(0);
  std::vector<std::int64_t> slots;
  for (Answers& answers : found) append(answers, options.max_results, result, slots);
  if (!options.columns.empty()) result.columns = parts.columns(slots, options.columns);
  for (const std::int64_t slot : slots) {
    result.ids.push_back(parts.set.id(static_cast<std::uint32_t>(slot)));
  }
  return result;
}

}  // namespace obliq

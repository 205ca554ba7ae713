// The public face of searches: checks, plans and hands over to the searcher. Where columns are
// asked for, answers are named by their slots until their values have been looked up.
#include <fmt/format.h>

#include <stdexcept>

#include "index/index_access.h"
#include "index/index_impl.h"
#include "index/segment/id_lookup.h"

namespace obliq {
namespace {

void name_answers(const SegmentSet& set, std::span<std::int64_t> answers) {
  for (std::int64_t& answer : answers) {
    if (answer >= 0) answer = set.id(static_cast<std::uint32_t>(answer));
  }
}

void search_slots(IndexParts& parts, MatrixView<float> queries, const SearchOptions& options,
                  bool names_slots, float* distances, std::int64_t* ids, SearchCounters* counters) {
  check_search(parts.set.model(), queries, options);
  if (options.explain != nullptr) options.explain->assign(queries.rows, {});
  PlannedSearch planned = parts.planner.plan(options, parts.rows(options.filter));
  planned.plan.names_slots = names_slots;
  parts.searcher.search(queries, planned.plan, options, distances, ids, counters);
}

}  // namespace

SearchResult Index::search(MatrixView<float> queries, const SearchOptions& options) const {
  check_answers(queries.rows, options.k);
  SearchResult result{Matrix<float>(queries.rows, options.k),
                      Matrix<std::int64_t>(queries.rows, options.k)};
  const bool has_columns = !options.columns.empty();
  std::vector<std::int64_t>& ids = result.ids.values;
  search_slots(*impl_, queries, options, has_columns, result.distances.values.data(), ids.data(),
               nullptr);
  if (!has_columns) return result;
  result.columns = impl_->columns(ids, options.columns);
  name_answers(impl_->set, ids);
  return result;
}

void Index::search(MatrixView<float> queries, const SearchOptions& options, float* distances,
                   std::int64_t* ids) const {
  IndexAccess::search(*this, queries, options, distances, ids, nullptr);
}

void IndexAccess::search(const Index& index, MatrixView<float> queries,
                         const SearchOptions& options, float* distances, std::int64_t* ids,
                         SearchCounters* counters) {
  if (!options.columns.empty()) {
    throw std::invalid_argument("columns are returned with a SearchResult: leave them out here");
  }
  search_slots(*index.impl_, queries, options, false, distances, ids, counters);
}

void IndexAccess::check(const Index& index, MatrixView<float> queries,
                        const SearchOptions& options) {
  check_search(index.impl_->set.model(), queries, options);
}

std::size_t Index::count(const Filter& filter) const { return impl_->rows(filter)->count; }

Columns Index::get_columns(std::span<const std::int64_t> ids,
                           std::span<const std::string> names) const {
  const std::vector<std::uint32_t> found = slots_of(impl_->set, ids);
  std::vector<std::int64_t> slots;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (found[i] == kNoSlot && ids[i] != -1) {
      throw std::invalid_argument(fmt::format("id {} is not in the index", ids[i]));
    }
    slots.push_back(found[i] == kNoSlot ? -1 : static_cast<std::int64_t>(found[i]));
  }
  return impl_->columns(slots, names);
}

}  // namespace obliq

// What was handed out is taken out of the rows that may be answers, and the next batch is a search
// among those that are left, planned as one for all answers so far and the batch.
#include "obliq/search_iterator.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "index/index_access.h"
#include "index/index_impl.h"
#include "index/iterator_access.h"

namespace obliq {
namespace {

// The rows that are left, which an iterator changes.
struct RowsLeft {
  std::vector<std::shared_ptr<AllowedRows>> segments;
  std::shared_ptr<RowFilter> filter = std::make_shared<RowFilter>();  // the same, for a search

  /// `rows`: null: all that are there.
  RowsLeft(const SegmentSet& set, const RowFilter* rows) {
    for (std::size_t s = 0; s < set.segments().size(); ++s) {
      const Segment& segment = set.segments()[s];
      AllowedRows own = rows != nullptr
                            ? *rows->segments[s]
                            : allowed_rows(segment, set.deleted(s), all_words_for(segment));
      exclude_foreign(segment, own);  // a vector is handed out by its own segment
      segments.push_back(std::make_shared<AllowedRows>(std::move(own)));
      filter->count += segments.back()->count;
      filter->segments.push_back(segments.back());
    }
  }
};

}  // namespace

struct OBLIQ_HIDDEN SearchIterator::Impl {
  IndexParts& parts;
  std::shared_ptr<const void> keeps;  // the parts, where nobody else does
  std::vector<float> query;
  SearchOptions options;
  std::vector<std::string> columns;
  RowsLeft rows;
  std::size_t passed = 0;  // answers that were handed out

  SearchResult next(std::size_t k);
  void take_out(std::span<const std::int64_t> slots);
};

SearchResult SearchIterator::Impl::next(std::size_t k) {
  options.k = std::min<std::size_t>(k, rows.filter->count);
  if (options.k == 0) return {Matrix<float>(1, 0), Matrix<std::int64_t>(1, 0)};
  if (passed > 0 && options.target_recall > 0) {  // what is out of reach was refused at first
    options.target_recall = parts.planner.within_reach(options.target_recall, options.k + passed);
  }
  PlannedSearch planned = parts.planner.plan(options, rows.filter, passed);
  planned.plan.names_slots = true;
  SearchResult result{Matrix<float>(1, options.k), Matrix<std::int64_t>(1, options.k)};
  std::vector<std::int64_t>& ids = result.ids.values;
  parts.searcher.search({query.data(), 1, query.size()}, planned.plan, options,
                        result.distances.values.data(), ids.data(), nullptr);
  while (!ids.empty() && ids.back() < 0) ids.pop_back();
  result.distances.values.resize(ids.size());
  result.distances.cols = result.ids.cols = ids.size();
  take_out(ids);
  if (!columns.empty()) result.columns = parts.columns(ids, columns);
  for (std::int64_t& id : ids) id = parts.set.id(static_cast<std::uint32_t>(id));
  return result;
}

void SearchIterator::Impl::take_out(std::span<const std::int64_t> slots) {
  passed += slots.size();
  for (const std::int64_t answer : slots) {
    const auto slot = static_cast<std::uint32_t>(answer);
    const std::size_t s = parts.set.segment_of(slot);
    exclude_row(parts.set.segments()[s], slot - parts.set.first_slot(s), *rows.segments[s]);
    --rows.filter->count;
  }
}

SearchIterator::SearchIterator(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SearchIterator::SearchIterator(SearchIterator&&) noexcept = default;
SearchIterator& SearchIterator::operator=(SearchIterator&&) noexcept = default;
SearchIterator::~SearchIterator() = default;

SearchResult SearchIterator::next(std::size_t k) {
  if (k == 0) throw std::invalid_argument("k must be 1 or more");
  if (impl_ == nullptr) return {Matrix<float>(1, 0), Matrix<std::int64_t>(1, 0)};
  return impl_->next(k);
}

SearchIterator IteratorAccess::none() { return SearchIterator(nullptr); }

SearchIterator IteratorAccess::make(const Index& index, MatrixView<float> query,
                                    const SearchOptions& options,
                                    std::shared_ptr<const void> keeps) {
  if (query.rows != 1) {
    throw std::invalid_argument(
        fmt::format("{} queries, an iterator goes on for one: give it", query.rows));
  }
  if (options.lists.rows > 0 || options.explain != nullptr) {
    throw std::invalid_argument("lists and explain are not for an iterator: leave them out");
  }
  IndexParts& parts = IndexAccess::parts(index);
  check_search(parts.set.model(), query, options);
  if (!options.columns.empty()) (void)parts.columns({}, options.columns);  // refuses unknown names
  const std::shared_ptr<const RowFilter> rows = parts.rows(options.filter);
  auto impl = std::make_unique<SearchIterator::Impl>(
      SearchIterator::Impl{parts,
                           std::move(keeps),
                           {query.data, query.data + query.cols},
                           options,
                           {options.columns.begin(), options.columns.end()},
                           RowsLeft(parts.set, rows.get()),
                           0});
  impl->options.columns = {};
  impl->options.filter.reset();
  return SearchIterator(std::move(impl));
}

SearchIterator Index::search_iterator(MatrixView<float> query, const SearchOptions& options) const {
  return IteratorAccess::make(*this, query, options, nullptr);
}

}  // namespace obliq

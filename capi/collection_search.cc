// Searches of collections. A collection answers with values of its own; those of numbers are copied
// into the caller's buffers.
#include <algorithm>
#include <utility>

#include "capi/arguments.h"
#include "capi/guard.h"
#include "capi/handles.h"
#include "capi/search_arguments.h"
#include "obliq/c/collection.h"

namespace obliq::capi {
namespace {

bool has_keys(const Collection& collection) { return collection.options().ids == IdType::string; }

void search_keys(const Collection& collection, MatrixView<float> queries,
                 SearchArguments& arguments, obliq_results** out) {
  KeyedSearchResult found = collection.search_keys(queries, arguments.options());
  give(out, std::move(found.distances), Matrix<std::int64_t>(), std::move(found.keys),
       obliq_columns{std::move(found.columns)}, std::move(arguments.explanations()));
}

void search_ids(const Collection& collection, MatrixView<float> queries, SearchArguments& arguments,
                obliq_results** out) {
  SearchResult found = collection.search(queries, arguments.options());
  give(out, std::move(found.distances), std::move(found.ids), Matrix<std::string>(),
       obliq_columns{std::move(found.columns)}, std::move(arguments.explanations()));
}

}  // namespace
}  // namespace obliq::capi

using obliq::capi::give;
using obliq::capi::guard;
using obliq::capi::matrix_of;
using obliq::capi::required;
using obliq::capi::SearchArguments;

obliq_status obliq_collection_search(const obliq_collection* collection, const float* queries,
                                     size_t n, size_t dim, size_t k,
                                     const obliq_search_options* options, float* distances,
                                     int64_t* ids) {
  return guard([&] {
    const auto& in = required(collection, "collection").collection;
    const auto from = matrix_of(queries, n, dim, "queries");
    const SearchArguments arguments(options, n, k, obliq::capi::Answer::buffers);
    obliq::capi::require_answers(n, k, distances, ids);
    const obliq::SearchResult found = in.search(from, arguments.options());
    std::copy(found.distances.values.begin(), found.distances.values.end(), distances);
    std::copy(found.ids.values.begin(), found.ids.values.end(), ids);
  });
}

obliq_status obliq_collection_search_results(const obliq_collection* collection,
                                             const float* queries, size_t n, size_t dim, size_t k,
                                             const obliq_search_options* options,
                                             obliq_results** out) {
  return guard([&] {
    const auto& in = required(collection, "collection").collection;
    required(out, "out");
    const auto from = matrix_of(queries, n, dim, "queries");
    obliq::capi::require_room(n, k);
    SearchArguments arguments(options, n, k, obliq::capi::Answer::results);
    if (obliq::capi::has_keys(in)) {
      obliq::capi::search_keys(in, from, arguments, out);
    } else {
      obliq::capi::search_ids(in, from, arguments, out);
    }
  });
}

obliq_status obliq_collection_range_search(const obliq_collection* collection, const float* queries,
                                           size_t n, size_t dim, float radius,
                                           const obliq_range_options* options,
                                           obliq_range_results** out) {
  return guard([&] {
    const auto& in = required(collection, "collection").collection;
    required(out, "out");
    const auto from = matrix_of(queries, n, dim, "queries");
    const obliq::capi::RangeArguments arguments(options);
    if (obliq::capi::has_keys(in)) {
      auto found = in.range_search_keys(from, radius, arguments.options());
      give(out, std::move(found.lims), std::move(found.distances), std::vector<std::int64_t>(),
           std::move(found.keys), std::move(found.cut), obliq_columns{std::move(found.columns)});
    } else {
      auto found = in.range_search(from, radius, arguments.options());
      give(out, std::move(found.lims), std::move(found.distances), std::move(found.ids),
           std::vector<std::string>(), std::move(found.cut),
           obliq_columns{std::move(found.columns)});
    }
  });
}

obliq_status obliq_collection_iterator(const obliq_collection* collection, const float* query,
                                       size_t dim, const obliq_search_options* options,
                                       obliq_iterator** out) {
  return guard([&] {
    const auto& in = required(collection, "collection").collection;
    required(out, "out");
    const auto from = matrix_of(query, 1, dim, "query");
    const SearchArguments arguments(options, 1, obliq::SearchOptions{}.k,
                                    obliq::capi::Answer::buffers);
    give(out, in.search_iterator(from, arguments.options()));
  });
}

obliq_status obliq_collection_count(const obliq_collection* collection, const obliq_filter* filter,
                                    size_t* count) {
  return guard([&] {
    const auto& in = required(collection, "collection").collection;
    required(count, "count") = filter == nullptr ? in.count() : in.count(filter->filter);
  });
}

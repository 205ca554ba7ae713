// What searches answered with, as a caller reads it, and iterators.
#include "obliq/c/results.h"

#include <algorithm>
#include <stdexcept>

#include "capi/arguments.h"
#include "capi/guard.h"
#include "capi/handles.h"
#include "capi/search_arguments.h"

namespace obliq::capi {
namespace {

const char* text_at(const std::string& key, std::size_t* size) {
  if (size != nullptr) *size = key.size();
  return key.c_str();
}

template <typename Values>
auto* data_of(const Values& values) {
  return values.empty() ? nullptr : values.data();
}

const obliq_columns* columns_of(const obliq_columns& columns) {
  return columns.columns.empty() ? nullptr : &columns;
}

obliq_search_explanation numbers_of(const SearchExplanation& from) {
  obliq_search_explanation to = {};
  to.lists = from.lists;
  to.entries = from.entries;
  to.refined = from.refined;
  to.exact = from.exact;
  to.allowed = from.allowed;
  to.end = static_cast<std::int32_t>(from.end);
  to.method = static_cast<std::int32_t>(from.method);
  return to;
}

/// Copies of the answers of one part.
SearchResult part_of(const float* distances, const std::int64_t* ids, std::size_t queries,
                     std::size_t k) {
  require_answers(queries, k, distances, ids);
  SearchResult part{Matrix<float>(queries, k), Matrix<std::int64_t>(queries, k), {}};
  std::copy_n(distances, part.distances.values.size(), part.distances.values.data());
  std::copy_n(ids, part.ids.values.size(), part.ids.values.data());
  return part;
}

}  // namespace
}  // namespace obliq::capi

using obliq::capi::guard;
using obliq::capi::required;

size_t obliq_results_queries(const obliq_results* results) {
  return results == nullptr ? 0 : results->distances.rows;
}

size_t obliq_results_k(const obliq_results* results) {
  return results == nullptr ? 0 : results->distances.cols;
}

const float* obliq_results_distances(const obliq_results* results) {
  return results == nullptr ? nullptr : obliq::capi::data_of(results->distances.values);
}

const int64_t* obliq_results_ids(const obliq_results* results) {
  return results == nullptr ? nullptr : obliq::capi::data_of(results->ids.values);
}

const char* obliq_results_key(const obliq_results* results, size_t query, size_t rank,
                              size_t* size) {
  if (results == nullptr || query >= results->keys.rows || rank >= results->keys.cols) {
    return nullptr;
  }
  return obliq::capi::text_at(results->keys.row(query)[rank], size);
}

const obliq_columns* obliq_results_columns(const obliq_results* results) {
  return results == nullptr ? nullptr : obliq::capi::columns_of(results->columns);
}

obliq_status obliq_results_explain(const obliq_results* results, size_t query,
                                   obliq_search_explanation* out) {
  return guard([&] {
    const auto& explained = required(results, "results").explained;
    if (query >= explained.size()) {
      throw std::invalid_argument(
          "there is no explanation of that query: set explain in the options of the search");
    }
    obliq::capi::write_stats(obliq::capi::numbers_of(explained[query]), out, "explanation");
  });
}

void obliq_results_free(obliq_results* results) { obliq::capi::take_back(results); }

size_t obliq_range_results_queries(const obliq_range_results* results) {
  return results == nullptr ? 0 : results->cut.size();
}

size_t obliq_range_results_total(const obliq_range_results* results) {
  return results == nullptr ? 0 : results->distances.size();
}

const uint64_t* obliq_range_results_lims(const obliq_range_results* results) {
  return results == nullptr ? nullptr : obliq::capi::data_of(results->lims);
}

const float* obliq_range_results_distances(const obliq_range_results* results) {
  return results == nullptr ? nullptr : obliq::capi::data_of(results->distances);
}

const int64_t* obliq_range_results_ids(const obliq_range_results* results) {
  return results == nullptr ? nullptr : obliq::capi::data_of(results->ids);
}

const char* obliq_range_results_key(const obliq_range_results* results, size_t answer,
                                    size_t* size) {
  if (results == nullptr || answer >= results->keys.size()) return nullptr;
  return obliq::capi::text_at(results->keys[answer], size);
}

const uint8_t* obliq_range_results_cut(const obliq_range_results* results) {
  return results == nullptr ? nullptr : obliq::capi::data_of(results->cut);
}

const obliq_columns* obliq_range_results_columns(const obliq_range_results* results) {
  return results == nullptr ? nullptr : obliq::capi::columns_of(results->columns);
}

void obliq_range_results_free(obliq_range_results* results) { obliq::capi::take_back(results); }

obliq_status obliq_iterator_next(obliq_iterator* iterator, size_t k, float* distances, int64_t* ids,
                                 size_t* count) {
  return guard([&] {
    auto& from = required(iterator, "iterator").iterator;
    required(count, "count");
    obliq::capi::require_answers(1, k, distances, ids);
    const obliq::SearchResult found = from.next(k);
    std::copy(found.distances.values.begin(), found.distances.values.end(), distances);
    std::copy(found.ids.values.begin(), found.ids.values.end(), ids);
    *count = found.ids.cols;
  });
}

void obliq_iterator_free(obliq_iterator* iterator) { obliq::capi::take_back(iterator); }

obliq_status obliq_merge_topk(const float* const* distances, const int64_t* const* ids,
                              const size_t* ks, size_t parts, size_t queries, size_t k,
                              float* out_distances, int64_t* out_ids) {
  return guard([&] {
    const auto widths = obliq::capi::values_of(ks, parts, "ks");
    obliq::capi::require_answers(queries, k, out_distances, out_ids);
    if (parts > 0) {
      required(distances, "distances");
      required(ids, "ids");
    }
    std::vector<obliq::SearchResult> answers;
    for (std::size_t i = 0; i < parts; ++i) {
      answers.push_back(obliq::capi::part_of(distances[i], ids[i], queries, widths[i]));
    }
    if (parts == 0) answers.push_back(obliq::capi::part_of(nullptr, nullptr, queries, 0));
    const obliq::SearchResult merged = obliq::merge_topk(answers, k);
    std::copy(merged.distances.values.begin(), merged.distances.values.end(), out_distances);
    std::copy(merged.ids.values.begin(), merged.ids.values.end(), out_ids);
  });
}

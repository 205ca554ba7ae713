// Options of searches. A call without options, or with few, takes no memory here: it is what a
// caller with one query at a time pays on top of the search.
#include "capi/search_arguments.h"

#include <stdexcept>

#include "capi/arguments.h"

namespace obliq::capi {
namespace {

obliq_search_options search_defaults() {
  obliq_search_options options = {};
  options.size = sizeof options;
  options.confidence = SearchOptions{}.confidence;
  return options;
}

obliq_range_options range_defaults() {
  obliq_range_options options = {};
  options.size = sizeof options;
  options.confidence = RangeSearchOptions{}.confidence;
  return options;
}

}  // namespace

SearchArguments::SearchArguments(const obliq_search_options* given, std::size_t n, std::size_t k,
                                 Answer answer) {
  options_.k = k;
  if (given == nullptr) return;
  obliq_search_options read = search_defaults();
  read_options(given, read, "search options");
  if (read.nprobe != 0) options_.nprobe = read.nprobe;
  options_.target_recall = read.target_recall;
  options_.confidence = read.confidence;
  options_.threads = read.threads;
  require_enum(read.batch_order, OBLIQ_BATCH_AUTO, OBLIQ_BATCH_LIST, "batch_order");
  options_.batch_order = static_cast<BatchOrder>(read.batch_order);
  if (read.filter != nullptr) options_.filter = read.filter->filter;
  if (read.lists != nullptr || read.list_columns != 0) {
    options_.lists = matrix_of(read.lists, n, read.list_columns, "lists");
  }
  if (read.n_columns != 0) columns_ = names_of(read.columns, read.n_columns, "columns");
  options_.columns = columns_;
  if (read.explain != 0) options_.explain = &explanations_;
  if (answer == Answer::buffers && (read.n_columns != 0 || read.explain != 0)) {
    throw std::invalid_argument(
        "columns and explain need a call that makes results, as obliq_index_search_results");
  }
}

RangeArguments::RangeArguments(const obliq_range_options* given) {
  if (given == nullptr) return;
  obliq_range_options read = range_defaults();
  read_options(given, read, "range options");
  if (read.filter != nullptr) options_.filter = read.filter->filter;
  options_.confidence = read.confidence;
  options_.exact = read.exact != 0;
  options_.max_results = read.max_results;
  options_.threads = read.threads;
  columns_ = names_of(read.columns, read.n_columns, "columns");
  options_.columns = columns_;
}

void require_room(std::size_t n, std::size_t k) {
  area_of(area_of(n, k, "answers"), sizeof(float) + sizeof(std::int64_t), "answers");
}

void require_answers(std::size_t n, std::size_t k, const float* distances,
                     const std::int64_t* ids) {
  const std::size_t answers = area_of(n, k, "answers");
  require_buffer(distances, answers, sizeof(float), "distances");
  require_buffer(ids, answers, sizeof(std::int64_t), "ids");
}

}  // namespace obliq::capi

void obliq_search_options_init(obliq_search_options* options, size_t size) {
  obliq::capi::init_options(options, size, obliq::capi::search_defaults());
}

void obliq_range_options_init(obliq_range_options* options, size_t size) {
  obliq::capi::init_options(options, size, obliq::capi::range_defaults());
}

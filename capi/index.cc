// Indexes: made, opened, searched.
#include "obliq/c/index.h"

#include <utility>

#include "capi/arguments.h"
#include "capi/build_arguments.h"
#include "capi/guard.h"
#include "capi/handles.h"
#include "capi/missing.h"
#include "capi/search_arguments.h"

using obliq::Index;
using obliq::capi::build_options_of;
using obliq::capi::CallbackSource;
using obliq::capi::give;
using obliq::capi::guard;
using obliq::capi::matrix_of;
using obliq::capi::open_options_of;
using obliq::capi::required;
using obliq::capi::SearchArguments;
using obliq::capi::text_of;
using obliq::capi::values_of;

obliq_status obliq_index_build(const float* vectors, size_t n, size_t dim,
                               const obliq_build_options* options, obliq_index** out) {
  return guard([&] {
    required(out, "out");
    const auto base = matrix_of(vectors, n, dim, "vectors");
    give(out, Index::build(base, build_options_of(options, n, dim)));
  });
}

obliq_status obliq_index_build_from(const obliq_vector_source* source,
                                    const obliq_build_options* options, obliq_index** out) {
  return guard([&] {
    required(out, "out");
    const CallbackSource base(source);
    give(out, Index::build(base, build_options_of(options, base.rows(), base.dim())));
  });
}

obliq_status obliq_index_build_file(const float* vectors, size_t n, size_t dim, const char* path,
                                    const obliq_build_options* options) {
  return guard([&] {
    const obliq::MatrixSource base(matrix_of(vectors, n, dim, "vectors"));
    Index::build_file(base, std::string(text_of(path, "path")), build_options_of(options, n, dim));
  });
}

obliq_status obliq_index_build_file_from(const obliq_vector_source* source, const char* path,
                                         const obliq_build_options* options) {
  return guard([&] {
    const CallbackSource base(source);
    Index::build_file(base, std::string(text_of(path, "path")),
                      build_options_of(options, base.rows(), base.dim()));
  });
}

obliq_status obliq_index_open(const char* path, const obliq_open_options* options,
                              obliq_index** out) {
  return guard([&] {
    required(out, "out");
    give(out, Index::open(std::string(text_of(path, "path")), open_options_of(options)));
  });
}

obliq_status obliq_index_verify(const char* path) {
  return guard(
      [&] { Index::open(std::string(text_of(path, "path")), obliq::OpenOptions{.verify = true}); });
}

obliq_status obliq_index_save(const obliq_index* index, const char* path) {
  return guard([&] { required(index, "index").index.save(std::string(text_of(path, "path"))); });
}

obliq_status obliq_index_copy(const obliq_index* index, obliq_index** out) {
  return guard([&] {
    required(out, "out");
    give(out, required(index, "index").index.copy());
  });
}

void obliq_index_free(obliq_index* index) { obliq::capi::take_back(index); }

obliq_status obliq_index_search(const obliq_index* index, const float* queries, size_t n,
                                size_t dim, size_t k, const obliq_search_options* options,
                                float* distances, int64_t* ids) {
  return guard([&] {
    const Index& in = required(index, "index").index;
    const auto from = matrix_of(queries, n, dim, "queries");
    const SearchArguments arguments(options, n, k, obliq::capi::Answer::buffers);
    obliq::capi::require_answers(n, k, distances, ids);
    in.search(from, arguments.options(), distances, ids);
  });
}

obliq_status obliq_index_search_results(const obliq_index* index, const float* queries, size_t n,
                                        size_t dim, size_t k, const obliq_search_options* options,
                                        obliq_results** out) {
  return guard([&] {
    const Index& in = required(index, "index").index;
    required(out, "out");
    const auto from = matrix_of(queries, n, dim, "queries");
    obliq::capi::require_room(n, k);
    SearchArguments arguments(options, n, k, obliq::capi::Answer::results);
    obliq::SearchResult found = in.search(from, arguments.options());
    give(out, std::move(found.distances), std::move(found.ids), obliq::Matrix<std::string>(),
         obliq_columns{std::move(found.columns)}, std::move(arguments.explanations()));
  });
}

obliq_status obliq_index_range_search(const obliq_index* index, const float* queries, size_t n,
                                      size_t dim, float radius, const obliq_range_options* options,
                                      obliq_range_results** out) {
  return guard([&] {
    const Index& in = required(index, "index").index;
    required(out, "out");
    const auto from = matrix_of(queries, n, dim, "queries");
    const obliq::capi::RangeArguments arguments(options);
    obliq::RangeSearchResult found = in.range_search(from, radius, arguments.options());
    give(out, std::move(found.lims), std::move(found.distances), std::move(found.ids),
         std::vector<std::string>(), std::move(found.cut), obliq_columns{std::move(found.columns)});
  });
}

obliq_status obliq_index_iterator(const obliq_index* index, const float* query, size_t dim,
                                  const obliq_search_options* options, obliq_iterator** out) {
  return guard([&] {
    const Index& in = required(index, "index").index;
    required(out, "out");
    const auto from = matrix_of(query, 1, dim, "query");
    const SearchArguments arguments(options, 1, obliq::SearchOptions{}.k,
                                    obliq::capi::Answer::buffers);
    give(out, in.search_iterator(from, arguments.options()));
  });
}

obliq_status obliq_index_reconstruct(const obliq_index* index, const int64_t* ids, size_t n,
                                     size_t dim, float* out) {
  return guard([&] {
    const Index& in = required(index, "index").index;
    const auto of = values_of(ids, n, "ids");
    obliq::capi::require_dim(dim, in.stats().dim);
    obliq::capi::require_buffer(out, obliq::capi::area_of(n, dim, "out"), sizeof(float), "out");
    obliq::capi::find_or_tell(in, of, [&] { in.reconstruct(of, out); });
  });
}

obliq_status obliq_index_get_columns(const obliq_index* index, const int64_t* ids, size_t n,
                                     const char* const* names, size_t n_names,
                                     obliq_columns** out) {
  return guard([&] {
    const Index& in = required(index, "index").index;
    required(out, "out");
    const auto of = values_of(ids, n, "ids");
    const auto wanted = obliq::capi::names_of(names, n_names, "names");
    obliq::capi::find_or_tell(in, of, [&] { give(out, in.get_columns(of, wanted)); });
  });
}

obliq_status obliq_index_count(const obliq_index* index, const obliq_filter* filter,
                               size_t* count) {
  return guard([&] {
    const Index& in = required(index, "index").index;
    required(count, "count") = filter == nullptr ? in.stats().n : in.count(filter->filter);
  });
}

obliq_status obliq_index_contains(const obliq_index* index, int64_t id, int32_t* contains) {
  return guard([&] {
    const Index& in = required(index, "index").index;
    required(contains, "contains") = in.contains(id) ? 1 : 0;
  });
}

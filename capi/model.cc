// Models, segments and merges.
#include "obliq/c/model.h"

#include <algorithm>
#include <utility>

#include "capi/arguments.h"
#include "capi/build_arguments.h"
#include "capi/guard.h"
#include "capi/handles.h"
#include "obliq/model.h"

namespace obliq::capi {
namespace {

obliq_encode_options encode_defaults() {
  obliq_encode_options options = {};
  options.size = sizeof options;
  options.truth = 1;
  return options;
}

obliq_merge_options merge_defaults() {
  obliq_merge_options options = {};
  options.size = sizeof options;
  options.tune = 1;
  return options;
}

EncodeOptions encode_options_of(const obliq_encode_options* given, std::size_t n) {
  obliq_encode_options read = encode_defaults();
  read_options(given, read, "encode options");
  EncodeOptions options;
  if (read.ids != nullptr) options.ids = matrix_of(read.ids, n, 1, "ids");
  options.first = read.first;
  if (read.columns != nullptr) options.columns = read.columns->columns;
  options.truth = read.truth != 0;
  options.threads = read.threads;
  options.max_memory = read.max_memory;
  options.progress = progress_of(read.progress, read.progress_user);
  return options;
}

MergeOptions merge_options_of(const obliq_merge_options* given) {
  obliq_merge_options read = merge_defaults();
  read_options(given, read, "merge options");
  MergeOptions options;
  options.lists = {read.first_list, read.end_list};
  options.as_segment = read.as_segment != 0;
  options.duplicates =
      read.last_wins != 0 ? MergeOptions::Duplicates::last : MergeOptions::Duplicates::error;
  options.deleted = values_of(read.deleted, read.n_deleted, "deleted");
  options.tune = read.tune != 0;
  options.threads = read.threads;
  options.max_memory = read.max_memory;
  options.progress = progress_of(read.progress, read.progress_user);
  return options;
}

obliq_model_stats numbers_of(const ModelStats& from) {
  obliq_model_stats to = {};
  to.id = from.id;
  to.n = from.n;
  to.dim = from.dim;
  to.nlist = from.nlist;
  to.list_groups = from.list_groups;
  to.metric = static_cast<obliq_metric>(from.metric);
  to.raw = static_cast<obliq_raw_tier>(from.raw);
  to.spill = from.spill;
  to.learn_queries = from.learn_queries;
  to.seed = from.seed;
  return to;
}

}  // namespace
}  // namespace obliq::capi

using obliq::capi::give;
using obliq::capi::guard;
using obliq::capi::matrix_of;
using obliq::capi::required;
using obliq::capi::text_of;

obliq_status obliq_model_train(const float* vectors, size_t n, size_t dim, size_t n_base,
                               const obliq_build_options* options, obliq_model** out) {
  return guard([&] {
    required(out, "out");
    const auto sample = matrix_of(vectors, n, dim, "vectors");
    give(out, obliq::Model::train(sample, obliq::capi::build_options_of(options, n, dim), n_base));
  });
}

obliq_status obliq_model_train_from(const obliq_vector_source* source, size_t n_base,
                                    const obliq_build_options* options, obliq_model** out) {
  return guard([&] {
    required(out, "out");
    const obliq::capi::CallbackSource sample(source);
    const auto how = obliq::capi::build_options_of(options, sample.rows(), sample.dim());
    give(out, obliq::Model::train(sample, how, n_base));
  });
}

uint64_t obliq_sample_key(uint64_t seed, int64_t id) { return obliq::sample_key(seed, id); }

obliq_status obliq_sample_size(size_t n, const obliq_build_options* options, size_t* out) {
  return guard([&] {
    // Ids, centroids and queries of the options are viewed, not read.
    required(out, "out") = obliq::sample_size(n, obliq::capi::build_options_of(options, n, 1));
  });
}

obliq_status obliq_model_open(const char* path, const obliq_open_options* options,
                              obliq_model** out) {
  return guard([&] {
    required(out, "out");
    give(out, obliq::Model::open(std::string(text_of(path, "path")),
                                 obliq::capi::open_options_of(options)));
  });
}

obliq_status obliq_model_save(const obliq_model* model, const char* path) {
  return guard([&] { required(model, "model").model.save(std::string(text_of(path, "path"))); });
}

void obliq_model_free(obliq_model* model) { obliq::capi::take_back(model); }

void obliq_encode_options_init(obliq_encode_options* options, size_t size) {
  obliq::capi::init_options(options, size, obliq::capi::encode_defaults());
}

obliq_status obliq_model_encode(const obliq_model* model, const float* vectors, size_t n,
                                size_t dim, const char* path, const obliq_encode_options* options) {
  return guard([&] {
    const auto part = matrix_of(vectors, n, dim, "vectors");
    required(model, "model")
        .model.encode(part, std::string(text_of(path, "path")),
                      obliq::capi::encode_options_of(options, n));
  });
}

obliq_status obliq_model_encode_from(const obliq_model* model, const obliq_vector_source* source,
                                     const char* path, const obliq_encode_options* options) {
  return guard([&] {
    const obliq::capi::CallbackSource part(source);
    required(model, "model")
        .model.encode(part, std::string(text_of(path, "path")),
                      obliq::capi::encode_options_of(options, part.rows()));
  });
}

obliq_status obliq_model_route(const obliq_model* model, const float* queries, size_t n, size_t dim,
                               size_t nprobe, int32_t threads, uint32_t* out, size_t* columns) {
  return guard([&] {
    const auto& by = required(model, "model").model;
    const std::size_t width = std::min(nprobe, by.stats().nlist);
    required(columns, "columns") = width;
    if (out == nullptr) return;
    const auto lists = by.route(matrix_of(queries, n, dim, "queries"), nprobe, threads);
    std::copy(lists.values.begin(), lists.values.end(), out);
  });
}

obliq_status obliq_model_get_stats(const obliq_model* model, obliq_model_stats* out) {
  return guard([&] {
    const auto stats = obliq::capi::numbers_of(required(model, "model").model.stats());
    obliq::capi::write_stats(stats, out, "stats");
  });
}

obliq_status obliq_model_quantizer(const obliq_model* model, char* out, size_t capacity,
                                   size_t* needed) {
  return guard([&] {
    const auto stats = required(model, "model").model.stats();
    obliq::capi::write_text(stats.quantizer, out, capacity, needed);
  });
}

void obliq_merge_options_init(obliq_merge_options* options, size_t size) {
  obliq::capi::init_options(options, size, obliq::capi::merge_defaults());
}

obliq_status obliq_merge(const obliq_model* model, const char* const* segments, size_t n,
                         const char* path, const obliq_merge_options* options) {
  return guard([&] {
    const auto files = obliq::capi::names_of(segments, n, "segments");
    obliq::merge(required(model, "model").model, files, std::string(text_of(path, "path")),
                 obliq::capi::merge_options_of(options));
  });
}

obliq_status obliq_index_open_segments(const obliq_model* model, const char* const* segments,
                                       size_t n, const obliq_open_options* options,
                                       obliq_index** out) {
  return guard([&] {
    required(out, "out");
    const auto files = obliq::capi::names_of(segments, n, "segments");
    give(out, obliq::Index::open(required(model, "model").model, files,
                                 obliq::capi::open_options_of(options)));
  });
}

// What an index tells of itself, and tuning.
#include <algorithm>

#include "capi/arguments.h"
#include "capi/guard.h"
#include "capi/handles.h"
#include "obliq/c/index.h"

namespace obliq::capi {
namespace {

obliq_index_stats numbers_of(const IndexStats& from) {
  obliq_index_stats to = {};
  to.n = from.n;
  to.dim = from.dim;
  to.nlist = from.nlist;
  to.list_groups = from.list_groups;
  to.metric = static_cast<obliq_metric>(from.metric);
  to.raw = static_cast<obliq_raw_tier>(from.raw);
  to.spill = from.spill;
  to.bytes_per_vector = from.bytes_per_vector;
  to.column_bytes = from.column_bytes;
  to.id_bytes = from.id_bytes;
  to.centroid_bytes = from.centroid_bytes;
  to.file_bytes = from.file_bytes;
  to.segments = from.segments;
  to.model_id = from.model_id;
  to.format_version = from.format_version;
  to.n_columns = static_cast<std::uint32_t>(from.columns.size());
  to.tuned_queries = from.tuning.queries;
  return to;
}

std::vector<obliq_tuned_target> targets_of(const Tuning& tuning) {
  std::vector<obliq_tuned_target> targets;
  for (const TunedLadder& ladder : tuning.ladders) {
    for (const TunedTarget& target : ladder.targets) {
      targets.push_back({ladder.k, target.nprobe, target.recall, ladder.max_recall,
                         target.threshold, target.uses_stop_rule ? 1 : 0});
    }
  }
  return targets;
}

}  // namespace
}  // namespace obliq::capi

using obliq::capi::guard;
using obliq::capi::required;

obliq_status obliq_index_tune(obliq_index* index, const float* queries, size_t n, size_t dim,
                              int32_t threads, obliq_progress progress, void* progress_user) {
  return guard([&] {
    auto& in = required(index, "index").index;
    const auto learn =
        n == 0 ? obliq::MatrixView<float>() : obliq::capi::matrix_of(queries, n, dim, "queries");
    in.tune(learn,
            {.threads = threads, .progress = obliq::capi::progress_of(progress, progress_user)});
  });
}

obliq_status obliq_index_tuning(const obliq_index* index, obliq_tuned_target* out, size_t capacity,
                                size_t* count) {
  return guard([&] {
    const auto targets = obliq::capi::targets_of(required(index, "index").index.stats().tuning);
    required(count, "count") = targets.size();
    if (out == nullptr) return;
    obliq::capi::require_capacity(targets.size(), capacity, "targets");
    std::copy(targets.begin(), targets.end(), out);
  });
}

obliq_status obliq_index_get_stats(const obliq_index* index, obliq_index_stats* out) {
  return guard([&] {
    const auto stats = obliq::capi::numbers_of(required(index, "index").index.stats());
    obliq::capi::write_stats(stats, out, "stats");
  });
}

obliq_status obliq_index_quantizer(const obliq_index* index, char* out, size_t capacity,
                                   size_t* needed) {
  return guard([&] {
    const auto stats = required(index, "index").index.stats();
    obliq::capi::write_text(stats.quantizer, out, capacity, needed);
  });
}

obliq_status obliq_index_schema(const obliq_index* index, obliq_columns** out) {
  return guard([&] {
    required(out, "out");
    obliq::capi::give(out,
                      obliq::capi::without_rows(required(index, "index").index.stats().columns));
  });
}

// What a collection tells of itself.
#include <limits>

#include "capi/arguments.h"
#include "capi/guard.h"
#include "capi/handles.h"
#include "obliq/c/collection.h"

namespace obliq::capi {
namespace {

void add_sizes(const CollectionStats& from, obliq_collection_stats& to) {
  to.n = from.n;
  to.dim = from.dim;
  to.metric = static_cast<obliq_metric>(from.metric);
  to.is_exact = from.is_exact ? 1 : 0;
  to.nlist = from.nlist;
  to.trained_for = from.trained_for;
  to.segments = from.segments;
  to.segments_in_memory = from.segments_in_memory;
  to.rows_in_memory = from.rows_in_memory;
  to.deleted_rows = from.deleted_rows;
  to.file_bytes = from.file_bytes;
  to.column_bytes = from.column_bytes;
  to.log_bytes = from.log_bytes;
}

obliq_collection_stats numbers_of(const Collection& collection) {
  constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  const CollectionStats from = collection.stats();
  const CollectionOptions options = collection.options();
  obliq_collection_stats to = {};
  add_sizes(from, to);
  to.raw = static_cast<obliq_raw_tier>(options.raw);
  to.string_ids = options.ids == IdType::string ? 1 : 0;
  to.train_at = options.train_at;
  to.changes = from.changes;
  to.is_tuned = from.is_tuned ? 1 : 0;
  to.is_tuning_outdated = from.is_tuning_outdated ? 1 : 0;
  to.tuned_for = from.tuned_for;
  to.drift = from.drift.value_or(kUnknown);
  to.write_amplification = from.write_amplification.value_or(kUnknown);
  to.searches = from.since_open.searches;
  to.queries = from.since_open.queries;
  to.added = from.since_open.added;
  to.upserted = from.since_open.upserted;
  to.removed = from.since_open.removed;
  to.updated = from.since_open.updated;
  return to;
}

}  // namespace
}  // namespace obliq::capi

using obliq::capi::guard;
using obliq::capi::required;
using obliq::capi::write_text;

obliq_status obliq_collection_get_stats(const obliq_collection* collection,
                                        obliq_collection_stats* out) {
  return guard([&] {
    const auto& of = required(collection, "collection").collection;
    obliq::capi::write_stats(obliq::capi::numbers_of(of), out, "stats");
  });
}

obliq_status obliq_collection_prometheus(const obliq_collection* collection, char* out,
                                         size_t capacity, size_t* needed) {
  return guard([&] {
    const auto stats = required(collection, "collection").collection.stats();
    write_text(obliq::to_prometheus(stats), out, capacity, needed);
  });
}

obliq_status obliq_collection_quantizer(const obliq_collection* collection, char* out,
                                        size_t capacity, size_t* needed) {
  return guard([&] {
    const auto stats = required(collection, "collection").collection.stats();
    write_text(stats.quantizer, out, capacity, needed);
  });
}

obliq_status obliq_collection_background_error(const obliq_collection* collection, char* out,
                                               size_t capacity, size_t* needed) {
  return guard([&] {
    const auto stats = required(collection, "collection").collection.stats();
    write_text(stats.background_error, out, capacity, needed);
  });
}

obliq_status obliq_collection_schema(const obliq_collection* collection, obliq_columns** out) {
  return guard([&] {
    required(out, "out");
    const auto stats = required(collection, "collection").collection.stats();
    obliq::capi::give(out, obliq::capi::without_rows(stats.columns));
  });
}

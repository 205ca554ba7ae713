// Statistics of a collection as dicts of Python.
#include "python/collection_stats.h"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <string>
#include <vector>

#include "python/columns.h"

namespace obliq::python {
namespace {

nb::dict counters_dict(const CollectionCounters& counters) {
  nb::dict dict;
  dict["searches"] = counters.searches;
  dict["queries"] = counters.queries;
  dict["added"] = counters.added;
  dict["upserted"] = counters.upserted;
  dict["removed"] = counters.removed;
  dict["updated"] = counters.updated;
  dict["logged_bytes"] = counters.logged_bytes;
  dict["sealed_bytes"] = counters.sealed_bytes;
  dict["merged_bytes"] = counters.merged_bytes;
  dict["trained_bytes"] = counters.trained_bytes;
  dict["manifest_bytes"] = counters.manifest_bytes;
  return dict;
}

/// (count, seconds, p50, p99, buckets)
nb::tuple latency_tuple(const LatencyHistogram& times) {
  const std::vector<std::uint64_t> buckets(times.counts.begin(), times.counts.end());
  return nb::make_tuple(times.count(), times.seconds, times.quantile(0.5), times.quantile(0.99),
                        buckets);
}

}  // namespace

nb::dict stats_dict(const CollectionStats& stats) {
  nb::dict dict;
  dict["n"] = stats.n;
  dict["dim"] = stats.dim;
  dict["nlist"] = stats.nlist;
  dict["metric"] = to_string(stats.metric);
  dict["quantizer"] = stats.quantizer;
  dict["is_exact"] = stats.is_exact;
  dict["is_tuned"] = stats.is_tuned;
  dict["tuned_for"] = stats.tuned_for;
  dict["is_tuning_outdated"] = stats.is_tuning_outdated;
  dict["tuned_seconds_ago"] = stats.tuned_seconds_ago;
  dict["trained_for"] = stats.trained_for;
  dict["drift"] = stats.drift;
  dict["segments"] = stats.segments;
  dict["segments_in_memory"] = stats.segments_in_memory;
  dict["rows_in_memory"] = stats.rows_in_memory;
  dict["deleted_rows"] = stats.deleted_rows;
  dict["deleted_share"] = stats.deleted_share;
  dict["file_bytes"] = stats.file_bytes;
  dict["columns"] = schema_dict(stats.columns);
  dict["column_bytes"] = stats.column_bytes;
  dict["log_bytes"] = stats.log_bytes;
  dict["changes"] = stats.changes;
  dict["since_open"] = counters_dict(stats.since_open);
  dict["of_life"] = counters_dict(stats.of_life);
  dict["write_amplification"] = stats.write_amplification;
  nb::dict latencies;
  for (const auto& [call, times] : stats.latencies) {
    latencies[nb::str(call.c_str())] = latency_tuple(times);
  }
  dict["latencies"] = latencies;
  dict["background_error"] = stats.background_error;
  return dict;
}

}  // namespace obliq::python

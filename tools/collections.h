// Collections in words, and the way to them: commands take a directory for a collection.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "obliq/collection.h"

namespace obliq::tools {

/// Whether the path leads to a directory, which then stands for a collection.
bool is_collection(const std::string& path);

/// kind, n, dim, metric, quantizer, exact, nlist, trained_for, tuned, segments, segments_in_memory,
/// rows_in_memory, deleted_rows, file_bytes, changes, columns, column_bytes.
nlohmann::ordered_json collection_json(const CollectionStats& stats);
/// What operators look at: log_bytes, deleted_share, write_amplification, drift, tuned_for and
/// tuned_seconds_ago (null where there is none), counters of its life, and latencies since it was
/// opened: of each call or step that was made count, seconds, p50 and p99.
nlohmann::ordered_json collection_figures_json(const CollectionStats& stats);
/// "10000 x 384, cosine, sq8, 400 lists, 3 segments, 12 deleted rows, 4.5 MB".
std::string collection_line(const CollectionStats& stats);

/// Bytes of all files in the directory at this moment, which a writer may change.
std::uint64_t directory_bytes(const std::string& path);

}  // namespace obliq::tools

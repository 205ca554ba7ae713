// What a collection tells of itself: its size and state, what was done with it, how long calls
// took; and all of that in the text format of Prometheus.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "obliq/columns.h"
#include "obliq/export.h"
#include "obliq/metric.h"

namespace obliq {

/// How long calls took. Bucket i counts those of at most upper_bound(i) seconds that were too long
/// for the one before.
struct OBLIQ_API LatencyHistogram {
  static constexpr std::size_t kBuckets = 32;

  std::array<std::uint64_t, kBuckets> counts = {};
  double seconds = 0;  ///< of all calls together

  /// 1 us, 2 us, 4 us, ... in seconds; +infinity for the last.
  static double upper_bound(std::size_t bucket);
  std::uint64_t count() const;
  /// The bound in seconds below which that share of the calls stayed, q in [0, 1]: at most twice
  /// what they took. 0 without calls.
  double quantile(double q) const;
};

/// What was done. Bytes are those given to the system to write.
struct CollectionCounters {
  std::uint64_t searches = 0;        ///< calls
  std::uint64_t queries = 0;         ///< of all searches
  std::uint64_t added = 0;           ///< vectors, by add
  std::uint64_t upserted = 0;        ///< vectors, by upsert
  std::uint64_t removed = 0;         ///< vectors, by remove
  std::uint64_t logged_bytes = 0;    ///< records of logs
  std::uint64_t sealed_bytes = 0;    ///< segments that were in memory before
  std::uint64_t merged_bytes = 0;    ///< segments merged from files
  std::uint64_t trained_bytes = 0;   ///< models, and segments encoded anew under them
  std::uint64_t manifest_bytes = 0;  ///< manifests and bitmaps of deleted rows
  std::uint64_t updated = 0;         ///< vectors that got new values of columns, by update

  std::uint64_t written_bytes() const {
    return logged_bytes + sealed_bytes + merged_bytes + trained_bytes + manifest_bytes;
  }
};

struct CollectionStats {
  std::size_t n = 0;  ///< vectors
  std::size_t dim = 0;
  Metric metric = Metric::l2;
  std::string quantizer;
  std::size_t nlist = 0;        ///< of the model; 1 while vectors are compared exactly
  bool is_exact = true;         ///< no model is trained yet: searches compare all vectors
  std::size_t trained_for = 0;  ///< vectors that the model was trained for
  std::size_t segments = 0;
  std::size_t segments_in_memory = 0;
  std::size_t rows_in_memory = 0;  ///< not in a file of their own yet, but in the log
  std::size_t deleted_rows = 0;    ///< whose space a compaction gives back
  double deleted_share = 0;        ///< deleted rows of all rows
  std::uint64_t file_bytes = 0;    ///< of the segments' files
  ColumnSchema columns;            ///< in the order in which they were given
  std::uint64_t column_bytes = 0;  ///< of their values in all segments, deleted ones counted
  std::uint64_t log_bytes = 0;     ///< of the log that is written now
  std::uint64_t changes = 0;       ///< calls that changed something, since it was made
  bool is_tuned = false;
  std::size_t tuned_for = 0;  ///< vectors that were there when it was tuned
  /// A fifth of the vectors has been added or removed since. Until it is tuned anew, which the
  /// background does, a search with a target visits as many lists as both ways to it would.
  bool is_tuning_outdated = false;
  /// Seconds since then, by the clock of the system; not given where it is not tuned.
  std::optional<double> tuned_seconds_ago;
  /// How much the mean |r|^2 (of a vector less its list's centroid) of what was added since the
  /// model was trained lies above that of the training sample: .1 for a tenth. Vectors like the
  /// sample have some percent, since k-means has seen the sample; from about .5 on `train` pays.
  /// Not given without a model or where nothing was added since.
  std::optional<double> drift;
  CollectionCounters since_open;  ///< what this object did
  /// What all writers did, and this object. What a process that was killed did after its last
  /// manifest is missing.
  CollectionCounters of_life;
  /// Bytes written in its life over those of the segments' files now; not given without files.
  std::optional<double> write_amplification;
  /// By what was timed, since it was opened: search, add (upsert and update, too), remove, sync (of
  /// the log, by whatever call), and steps in the background or asked for: seal, merge, tune,
  /// train.
  std::map<std::string, LatencyHistogram, std::less<>> latencies;
  std::string background_error;  ///< of the background step that failed last; empty: none
};

/// The text format of Prometheus: `obliq_collection_` and a name each, seconds and bytes. Labels
/// are on every line. Throws std::invalid_argument on a label whose name is none.
OBLIQ_API std::string to_prometheus(const CollectionStats& stats,
                                    const std::map<std::string, std::string>& labels = {});

}  // namespace obliq

// Statistics in the text format of Prometheus, version 0.0.4: of each metric a HELP and a TYPE
// line, then a line each for its values, "name{label="value"} number".
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <limits>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "obliq/collection_stats.h"

namespace obliq {
namespace {

using Labels = std::map<std::string, std::string>;

constexpr std::array<std::string_view, 3> kOwnLabels = {"le", "call", "by"};

bool is_label_name(std::string_view name) {
  const auto is_letter = [](char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; };
  if (std::ranges::find(kOwnLabels, name) != kOwnLabels.end()) return false;
  return !name.empty() && (is_letter(name.front()) || name.front() == '_') &&
         !name.starts_with("__") && std::ranges::all_of(name, [&](char c) {
           return is_letter(c) || c == '_' || (c >= '0' && c <= '9');
         });
}

std::string quoted(std::string_view value) {
  std::string text = "\"";
  for (const char c : value) {
    if (c == '\n') {
      text += "\\n";
    } else {
      if (c == '\\' || c == '"') text += '\\';
      text += c;
    }
  }
  return text + '"';
}

class Text {
 public:
  explicit Text(const Labels& labels) : labels_(labels) {
    for (const auto& [name, value] : labels) {
      if (is_label_name(name)) continue;
      throw std::invalid_argument(fmt::format(
          "label '{}' must be letters, digits and _, begin with a letter, and be none of le, call "
          "and by",
          name));
    }
  }

  void head(std::string_view name, std::string_view type, std::string_view help) {
    text_ += fmt::format("# HELP obliq_collection_{0} {1}\n# TYPE obliq_collection_{0} {2}\n", name,
                         help, type);
  }
  void value(std::string_view name, const Labels& more, double value) {
    line(name, more, fmt::format("{}", value));
  }
  void value(std::string_view name, const Labels& more, std::uint64_t value) {
    line(name, more, fmt::format("{}", value));
  }
  /// A metric of one value.
  template <typename T>
  void gauge(std::string_view name, std::string_view help, T number) {
    head(name, "gauge", help);
    value(name, {}, number);
  }
  void counter(std::string_view name, std::string_view help, std::uint64_t number) {
    head(name, "counter", help);
    value(name, {}, number);
  }
  std::string take() { return std::move(text_); }

 private:
  void line(std::string_view name, Labels labels, const std::string& number) {
    labels.insert(labels_.begin(), labels_.end());
    std::string inside;
    for (const auto& [label, value] : labels) {
      inside += fmt::format("{}{}={}", inside.empty() ? "" : ",", label, quoted(value));
    }
    if (!inside.empty()) inside = "{" + inside + "}";
    text_ += fmt::format("obliq_collection_{}{} {}\n", name, inside, number);
  }

  const Labels& labels_;
  std::string text_;
};

std::uint64_t whole(std::size_t number) { return number; }

void add_sizes(const CollectionStats& stats, Text& text) {
  text.gauge("vectors", "Vectors that are there.", whole(stats.n));
  text.gauge("dim", "Dimensions of a vector.", whole(stats.dim));
  text.gauge("lists", "Lists of the model.", whole(stats.nlist));
  text.gauge("trained", "1 where a model is trained; 0: all vectors are compared.",
             whole(stats.is_exact ? 0 : 1));
  text.gauge("trained_for_vectors", "Vectors that the model was trained for.",
             whole(stats.trained_for));
  text.gauge("segments", "Segments that a search looks into.", whole(stats.segments));
  text.gauge("memory_segments", "Segments that are in no file yet but the log.",
             whole(stats.segments_in_memory));
  text.gauge("memory_rows", "Rows of segments that are in no file yet.",
             whole(stats.rows_in_memory));
  text.gauge("deleted_rows", "Deleted rows, whose space a compaction gives back.",
             whole(stats.deleted_rows));
  text.gauge("deleted_ratio", "Deleted rows of all rows.", stats.deleted_share);
  text.gauge("segment_bytes", "Bytes of the files of segments.", stats.file_bytes);
  text.gauge("columns", "Columns that vectors may have values of.", whole(stats.columns.size()));
  text.gauge("column_bytes", "Bytes of the values of columns.", stats.column_bytes);
  text.gauge("log_bytes", "Bytes of the log that is written now.", stats.log_bytes);
  text.gauge("changes", "Number of the last change.", stats.changes);
  text.gauge("background_failed", "1 where the last step in the background failed.",
             whole(stats.background_error.empty() ? 0 : 1));
}

void add_state(const CollectionStats& stats, Text& text) {
  text.gauge("tuned", "1 where searches may have a target recall.", whole(stats.is_tuned ? 1 : 0));
  text.gauge("tuning_outdated", "1: a fifth of the vectors has changed since it was tuned.",
             stats.is_tuning_outdated ? 1.0 : 0.0);
  text.gauge("tuned_for_vectors", "Vectors that were there when it was tuned.",
             whole(stats.tuned_for));
  if (stats.tuned_seconds_ago) {
    text.gauge("tuning_age_seconds", "Seconds since it was tuned.", *stats.tuned_seconds_ago);
  }
  if (stats.drift) {
    text.gauge("drift_ratio",
               "How much the mean squared residual of what was added since the training lies above "
               "that of the training sample.",
               *stats.drift);
  }
  if (stats.write_amplification) {
    text.gauge("write_amplification_ratio", "Bytes written over bytes of the segments' files.",
               *stats.write_amplification);
  }
}

void add_counters(const CollectionCounters& life, Text& text) {
  text.counter("searches_total", "Searches.", life.searches);
  text.counter("queries_total", "Queries of searches.", life.queries);
  text.counter("added_vectors_total", "Vectors added.", life.added);
  text.counter("updated_vectors_total", "Vectors that got new values of columns.", life.updated);
  text.counter("upserted_vectors_total", "Vectors added or put in the place of others.",
               life.upserted);
  text.counter("removed_vectors_total", "Vectors removed.", life.removed);
  text.head("written_bytes_total", "counter", "Bytes written, by what wrote them.");
  const std::pair<const char*, std::uint64_t> written[] = {{"log", life.logged_bytes},
                                                           {"seal", life.sealed_bytes},
                                                           {"merge", life.merged_bytes},
                                                           {"train", life.trained_bytes},
                                                           {"manifest", life.manifest_bytes}};
  for (const auto& [by, bytes] : written) text.value("written_bytes_total", {{"by", by}}, bytes);
}

void add_latencies(const CollectionStats& stats, Text& text) {
  text.head("call_seconds", "histogram", "How long calls and steps in the background took.");
  for (const auto& [call, times] : stats.latencies) {
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < LatencyHistogram::kBuckets; ++i) {
      below += times.counts[i];
      const double bound = LatencyHistogram::upper_bound(i);
      const std::string le =
          i + 1 == LatencyHistogram::kBuckets ? "+Inf" : fmt::format("{}", bound);
      text.value("call_seconds_bucket", {{"call", call}, {"le", le}}, below);
    }
    text.value("call_seconds_sum", {{"call", call}}, times.seconds);
    text.value("call_seconds_count", {{"call", call}}, below);
  }
}

}  // namespace

std::string to_prometheus(const CollectionStats& stats, const Labels& labels) {
  Text text(labels);
  add_sizes(stats, text);
  add_state(stats, text);
  add_counters(stats.of_life, text);
  add_latencies(stats, text);
  return text.take();
}

}  // namespace obliq

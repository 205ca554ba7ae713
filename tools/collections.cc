#include "tools/collections.h"

#include <fmt/core.h>

#include <filesystem>
#include <optional>
#include <system_error>

#include "tools/column_values.h"
#include "tools/describe.h"

namespace obliq::tools {
namespace {

std::string counted(std::size_t count, const char* what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

}  // namespace

bool is_collection(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

nlohmann::ordered_json collection_json(const CollectionStats& stats) {
  return {{"kind", "collection"},
          {"n", stats.n},
          {"dim", stats.dim},
          {"metric", to_string(stats.metric)},
          {"quantizer", stats.quantizer},
          {"exact", stats.is_exact},
          {"nlist", stats.nlist},
          {"trained_for", stats.trained_for},
          {"tuned", stats.is_tuned},
          {"segments", stats.segments},
          {"segments_in_memory", stats.segments_in_memory},
          {"rows_in_memory", stats.rows_in_memory},
          {"deleted_rows", stats.deleted_rows},
          {"file_bytes", stats.file_bytes},
          {"changes", stats.changes},
          {"columns", schema_json(stats.columns)},
          {"column_bytes", stats.column_bytes}};
}

nlohmann::ordered_json collection_figures_json(const CollectionStats& stats) {
  const auto or_null = [](const std::optional<double>& value) {
    return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
  };
  nlohmann::ordered_json latencies = nlohmann::ordered_json::object();
  for (const auto& [call, times] : stats.latencies) {
    if (times.count() == 0) continue;
    latencies[call] = {{"count", times.count()},
                       {"seconds", times.seconds},
                       {"p50", times.quantile(0.5)},
                       {"p99", times.quantile(0.99)}};
  }
  const CollectionCounters& life = stats.of_life;
  return {{"log_bytes", stats.log_bytes},
          {"deleted_share", stats.deleted_share},
          {"write_amplification", or_null(stats.write_amplification)},
          {"drift", or_null(stats.drift)},
          {"is_tuning_outdated", stats.is_tuning_outdated},
          {"tuned_for", stats.is_tuned ? nlohmann::ordered_json(stats.tuned_for) : nullptr},
          {"tuned_seconds_ago", or_null(stats.tuned_seconds_ago)},
          {"searches", life.searches},
          {"queries", life.queries},
          {"added", life.added},
          {"upserted", life.upserted},
          {"removed", life.removed},
          {"updated", life.updated},
          {"logged_bytes", life.logged_bytes},
          {"sealed_bytes", life.sealed_bytes},
          {"merged_bytes", life.merged_bytes},
          {"trained_bytes", life.trained_bytes},
          {"manifest_bytes", life.manifest_bytes},
          {"latencies", latencies}};
}

std::string collection_line(const CollectionStats& stats) {
  return fmt::format("{} x {}, {}, {}, {}, {}, {}, {}", stats.n, stats.dim, to_string(stats.metric),
                     stats.quantizer,
                     stats.is_exact ? "compared exactly" : counted(stats.nlist, "list"),
                     counted(stats.segments, "segment"), counted(stats.deleted_rows, "deleted row"),
                     bytes_text(static_cast<double>(stats.file_bytes)));
}

std::uint64_t directory_bytes(const std::string& path) {
  std::uint64_t bytes = 0;
  std::error_code ignored;
  std::filesystem::directory_iterator entry(path, ignored);
  for (; !ignored && entry != std::filesystem::directory_iterator(); entry.increment(ignored)) {
    std::error_code gone;
    const std::uint64_t size = entry->file_size(gone);
    if (!gone) bytes += size;
  }
  return bytes;
}

}  // namespace obliq::tools

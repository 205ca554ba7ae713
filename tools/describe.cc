#include "tools/describe.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "core/kernels/dispatch.h"
#include "tools/column_flags.h"
#include "tools/column_values.h"
#include "tools/table.h"

namespace obliq::tools {

nlohmann::ordered_json stats_json(const IndexStats& stats) {
  return {{"dim", stats.dim},
          {"metric", to_string(stats.metric)},
          {"n", stats.n},
          {"nlist", stats.nlist},
          {"list_groups", stats.list_groups},
          {"quantizer", stats.quantizer},
          {"raw", to_string(stats.raw)},
          {"spill", stats.spill},
          {"bytes_per_vector", stats.bytes_per_vector},
          {"id_bytes", stats.id_bytes},
          {"centroid_bytes", stats.centroid_bytes},
          {"columns", schema_json(stats.columns)},
          {"column_bytes", stats.column_bytes},
          {"file_bytes", stats.file_bytes},
          {"format_version", stats.format_version},
          {"model", fmt::format("{:016x}", stats.model_id)},
          {"simd", kernels().name},
          {"tuning", tuning_json(stats.tuning)}};
}

nlohmann::ordered_json tuning_json(const Tuning& tuning) {
  if (tuning.queries == 0) return nullptr;
  nlohmann::ordered_json ladders = nlohmann::ordered_json::array();
  for (const TunedLadder& ladder : tuning.ladders) {
    nlohmann::ordered_json targets = nlohmann::ordered_json::array();
    for (const TunedTarget& target : ladder.targets) {
      targets.push_back({{"recall", target.recall},
                         {"threshold", target.threshold},  // null: all lists
                         {"nprobe", target.nprobe},
                         {"stops", target.uses_stop_rule}});
    }
    ladders.push_back({{"k", ladder.k}, {"max_recall", ladder.max_recall}, {"targets", targets}});
  }
  return {{"queries", tuning.queries},
          {"from_base", tuning.from_base},
          {"exact_truth", tuning.exact_truth},
          {"ladders", ladders}};
}

namespace {

/// A line per k whose codes reach no more than some of the targets; the table leaves these out.
std::string unreached_text(const Tuning& tuning) {
  std::string text;
  for (const TunedLadder& ladder : tuning.ladders) {
    const auto beyond = [&](const TunedTarget& target) {
      return target.recall > ladder.max_recall;
    };
    const auto count = std::count_if(ladder.targets.begin(), ladder.targets.end(), beyond);
    if (count == 0) continue;
    text += fmt::format(
        "{} of {} targets at k = {} are out of reach: these codes reach {:.3f} with all lists\n",
        count, ladder.targets.size(), ladder.k, ladder.max_recall);
  }
  return text;
}

}  // namespace

std::string tuning_text(const Tuning& tuning) {
  if (tuning.queries == 0) return "not tuned for target recalls\n";
  Table table({{"target recall"}, {"k"}, {"stop threshold"}, {"or nprobe"}, {"uses", Align::left}});
  for (const TunedLadder& ladder : tuning.ladders) {
    for (const TunedTarget& target : ladder.targets) {
      if (target.recall > ladder.max_recall) continue;
      const bool all = !std::isfinite(target.threshold);
      const char* uses = target.uses_stop_rule ? "threshold" : "nprobe";
      table.add({fmt::format("{:.3f}", target.recall), std::to_string(ladder.k),
                 all ? "all lists" : fmt::format("{:.3f}", target.threshold),
                 std::to_string(target.nprobe), uses});
    }
  }
  return fmt::format("tuned with {} {}, recall {}\n", tuning.queries,
                     tuning.from_base ? "base vectors" : "learn queries",
                     tuning.exact_truth
                         ? "of the true neighbours"
                         : "of what all lists give, the loss of the codes as before") +
         table.text() + unreached_text(tuning);
}

std::string bytes_text(double bytes) {
  constexpr std::array<const char*, 5> kUnits = {"B", "kB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  while (bytes >= 999.95 && unit + 1 < kUnits.size()) {
    bytes /= 1000;
    ++unit;
  }
  return fmt::format("{:.{}f} {}", bytes, unit == 0 ? 0 : 1, kUnits[unit]);
}

std::string stats_line(const IndexStats& stats) {
  const std::string raw = stats.raw == RawTier::none ? "" : " + raw " + to_string(stats.raw);
  const std::string spill = stats.spill > 0 ? fmt::format(", spill {:.2f}", stats.spill) : "";
  std::string line = fmt::format("{} x {}, {}, {}{}{}, {} lists, {:.1f} bytes per vector", stats.n,
                                 stats.dim, to_string(stats.metric), stats.quantizer, raw, spill,
                                 stats.nlist, stats.bytes_per_vector);
  if (stats.file_bytes > 0) line += ", " + bytes_text(static_cast<double>(stats.file_bytes));
  return line;
}

std::string json_text(const nlohmann::ordered_json& json) {
  Table table({{"what", Align::left}, {"value", Align::left}});
  for (const auto& [name, value] : json.items()) {
    table.add({name, value.is_string() ? value.get<std::string>() : value.dump()});
  }
  return table.text();
}

std::string stats_text(const IndexStats& stats) {
  nlohmann::ordered_json json = stats_json(stats);
  json.erase("tuning");
  json["columns"] = schema_text(stats.columns);
  json["bytes_per_vector"] = fmt::format("{:.2f}", stats.bytes_per_vector);
  return json_text(json) + "\n" + tuning_text(stats.tuning);
}

}  // namespace obliq::tools

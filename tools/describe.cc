#include "tools/describe.h"

#include <fmt/core.h>

#include <array>

#include "quant/kernels/dispatch.h"
#include "tools/table.h"

namespace obliq::tools {

nlohmann::ordered_json stats_json(const IndexStats& stats) {
  return {{"dim", stats.dim},
          {"metric", to_string(stats.metric)},
          {"n", stats.n},
          {"nlist", stats.nlist},
          {"quantizer", stats.quantizer},
          {"raw", to_string(stats.raw)},
          {"spill", stats.spill},
          {"bytes_per_vector", stats.bytes_per_vector},
          {"id_bytes", stats.id_bytes},
          {"centroid_bytes", stats.centroid_bytes},
          {"file_bytes", stats.file_bytes},
          {"format_version", stats.format_version},
          {"simd", kernels().name}};
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
  std::string line = fmt::format("{} x {}, {}, {}{}{}, {} lists, {:.1f} bytes a vector", stats.n,
                                 stats.dim, to_string(stats.metric), stats.quantizer, raw, spill,
                                 stats.nlist, stats.bytes_per_vector);
  if (stats.file_bytes > 0) line += ", " + bytes_text(static_cast<double>(stats.file_bytes));
  return line;
}

std::string stats_text(const IndexStats& stats) {
  Table table({{"what", Align::left}, {"value", Align::left}});
  const nlohmann::ordered_json json = stats_json(stats);
  for (const auto& [name, value] : json.items()) {
    std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    if (name == "bytes_per_vector") text = fmt::format("{:.2f}", stats.bytes_per_vector);
    table.add({name, text});
  }
  return table.text();
}

}  // namespace obliq::tools

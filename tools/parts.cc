#include "tools/parts.h"

#include <fmt/core.h>

#include <cstring>
#include <stdexcept>

#include "index/columns/column_sections.h"
#include "index/segment/segment.h"
#include "storage/section_file.h"
#include "tools/describe.h"

namespace obliq::tools {

FileKind file_kind(const std::string& path) {
  const SectionFile file(path);
  if (!file.has("segment")) return FileKind::model;
  return file.has("model") ? FileKind::index : FileKind::segment;
}

nlohmann::ordered_json model_json(const ModelStats& stats) {
  return {{"kind", "model"},
          {"model", fmt::format("{:016x}", stats.id)},
          {"dim", stats.dim},
          {"metric", to_string(stats.metric)},
          {"n", stats.n},
          {"nlist", stats.nlist},
          {"list_groups", stats.list_groups},
          {"quantizer", stats.quantizer},
          {"raw", to_string(stats.raw)},
          {"spill", stats.spill},
          {"learn_queries", stats.learn_queries},
          {"seed", stats.seed}};
}

std::string model_line(const ModelStats& stats) {
  const std::string raw = stats.raw == RawTier::none ? "" : " + raw " + to_string(stats.raw);
  const std::string spill = stats.spill > 0 ? fmt::format(", spill {:.2f}", stats.spill) : "";
  return fmt::format("model {:016x}: {} dims, {}, {}{}{}, {} lists, for {} vectors", stats.id,
                     stats.dim, to_string(stats.metric), stats.quantizer, raw, spill, stats.nlist,
                     stats.n);
}

nlohmann::ordered_json segment_json(const std::string& path) {
  const SectionFile file(path);
  const auto bytes = file.verified_copy("segment");
  SegmentInfo info;
  if (bytes.size() != sizeof info) {
    throw std::runtime_error(fmt::format("{}: section 'segment' at offset {}: {} bytes, not {}",
                                         path, file.offset("segment"), bytes.size(), sizeof info));
  }
  std::memcpy(&info, bytes.data(), sizeof info);
  return {{"kind", "segment"},
          {"model", fmt::format("{:016x}", info.model)},
          {"n", info.n},
          {"foreign_rows", info.rows - info.n},
          {"spilled", info.spilled},
          {"first_list", info.first_list},
          {"end_list", info.end_list},
          {"ids", info.has_ids != 0 ? "given" : "positions"},
          {"truth", file.has("truth")},
          {"columns", file.has(kColumnsSection)},
          {"file_bytes", file.file_bytes()}};
}

std::string segment_line(const nlohmann::ordered_json& segment) {
  return fmt::format(
      "segment of model {}: {} vectors, lists {}:{}, {}", segment["model"].get<std::string>(),
      segment["n"].get<std::uint64_t>(), segment["first_list"].get<std::uint32_t>(),
      segment["end_list"].get<std::uint32_t>(), bytes_text(segment["file_bytes"].get<double>()));
}

void verify_sections(const std::string& path) { SectionFile(path).verify_all(); }

Index open_index_or_segments(const std::string& path, const std::vector<std::string>& segments,
                             const OpenOptions& options) {
  if (segments.empty()) return Index::open(path, options);
  return Index::open(Model::open(path, options), segments, options);
}

}  // namespace obliq::tools

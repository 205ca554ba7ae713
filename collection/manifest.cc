#include "collection/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <span>
#include <stdexcept>

#include "collection/column_schema.h"
#include "index/build/build_plan.h"
#include "index/columns/check_columns.h"
#include "index/segment/section_reader.h"
#include "index/segment/tuning_section.h"
#include "obliq/quantizer.h"
#include "storage/crc32c.h"
#include "storage/input_file.h"
#include "storage/section_file.h"

namespace obliq {
namespace {

constexpr std::size_t kLeastTrained = 1000;

template <typename T>
T fixed_value(SectionReader& reader, std::string_view section) {
  T value;
  std::memcpy(&value, reader.fixed_array<std::byte>(section, 1, sizeof value).data(), sizeof value);
  return value;
}

void check_info(const SectionReader& reader, const ManifestInfo& info, std::uint64_t version) {
  const auto refuse = [&](const std::string& reason) { reader.refuse("collection", reason); };
  if (info.version != version) refuse(fmt::format("version {}", info.version));
  if (info.dim == 0 || info.dim > kMaxDim) refuse(fmt::format("{} dims", info.dim));
  if (info.metric > 2 || info.raw > 2 || info.is_flat > 1 || info.ids > 1) {
    refuse("unknown kind");
  }
  if (!(info.spill >= 0 && info.spill <= 1)) refuse("a spill out of range");
  if (info.next_id < 0) refuse("a next id below 0");
  if (info.quantizer[sizeof info.quantizer - 1] != '\0') refuse("a name without an end");
  if (info.zero != 0 || std::ranges::any_of(info.zeros, [](auto zero) { return zero != 0; })) {
    refuse("unknown numbers");
  }
}

void check_entry(const SectionReader& reader, const SegmentEntry& entry, const ManifestInfo& info) {
  if (entry.zero == 0 && entry.zeros[0] == 0 && (info.ids != 0 || entry.keys_check == 0)) return;
  reader.refuse("segments", fmt::format("segment {:016x} has unknown numbers", entry.number));
}

}  // namespace

CollectionCounters History::all_counters() const {
  std::array<std::uint64_t, sizeof(CollectionCounters) / 8> all = {};
  std::copy(counters.begin(), counters.end(), all.begin());
  all.back() = updated;
  return std::bit_cast<CollectionCounters>(all);
}

void History::set_counters(const CollectionCounters& all) {
  const auto numbers = std::bit_cast<std::array<std::uint64_t, sizeof all / 8>>(all);
  std::copy(numbers.begin(), numbers.end() - 1, counters.begin());
  updated = numbers.back();
}

ManifestInfo manifest_of(const CollectionOptions& options) {
  ManifestInfo info;
  if (options.dim == 0) throw std::invalid_argument("dim is 0: tell how long vectors are");
  if (options.dim > kMaxDim) {
    throw std::invalid_argument(fmt::format("dim must be 1 to {}, not {}", kMaxDim, options.dim));
  }
  if (options.train_at < kLeastTrained) {
    throw std::invalid_argument(fmt::format("train_at is {}: a model takes {} vectors or more",
                                            options.train_at, kLeastTrained));
  }
  check_schema(options.columns);
  const Preset codes = choose_codes({}, options.quantizer, options.raw, options.spill);
  if (!(codes.spill >= 0 && codes.spill <= 1)) {
    throw std::invalid_argument(fmt::format("spill must be in [0, 1], not {}", codes.spill));
  }
  const std::string spec = make_quantizer(codes.quantizer, options.dim, options.seed)->spec();
  if (spec.size() >= sizeof info.quantizer) {
    throw std::invalid_argument(fmt::format("quantizer '{}' has too long a name", spec));
  }
  info.dim = options.dim;
  info.metric = static_cast<std::uint32_t>(options.metric);
  info.raw = static_cast<std::uint16_t>(codes.raw);
  info.spill = static_cast<float>(codes.spill);
  info.seed = options.seed;
  info.train_at = options.train_at;
  info.ids = static_cast<std::uint32_t>(options.ids);
  std::copy(spec.begin(), spec.end(), info.quantizer);
  return info;
}

CollectionOptions options_of(const ManifestInfo& info, const ColumnSchema& schema) {
  CollectionOptions options;
  options.dim = info.dim;
  options.metric = static_cast<Metric>(info.metric);
  options.quantizer = info.quantizer;
  options.raw = static_cast<RawTier>(info.raw);
  options.spill = info.spill;
  options.seed = info.seed;
  options.train_at = info.train_at;
  options.ids = static_cast<IdType>(info.ids);
  options.columns = schema;
  return options;
}

BuildOptions build_options(const ManifestInfo& info, int threads) {
  BuildOptions options;
  options.metric = static_cast<Metric>(info.metric);
  options.threads = threads;
  options.seed = info.seed;
  options.quantizer = info.quantizer;
  options.raw = static_cast<RawTier>(info.raw);
  options.spill = info.spill;
  return options;
}

void write_manifest(const CollectionDirectory& directory, const Manifest& manifest) {
  SectionWriter writer(directory.manifest(manifest.info.version));
  writer.add("collection", std::as_bytes(std::span(&manifest.info, 1)), Need::required);
  writer.add("segments", std::as_bytes(std::span(manifest.segments)), Need::required);
  if (manifest.tuning.queries > 0) writer.add("tuning", write_tuning(manifest.tuning));
  writer.add("history", std::as_bytes(std::span(&manifest.history, 1)));
  if (!manifest.schema->empty()) {
    const std::string schema = write_collection_schema(*manifest.schema);
    writer.add("schema", std::as_bytes(std::span(schema)), Need::required);
  }
  writer.commit();
}

Manifest read_manifest(const CollectionDirectory& directory, std::uint64_t version) {
  refuse_link(directory.manifest(version));
  SectionReader reader(directory.manifest(version), Loading::memory);
  constexpr std::array<std::string_view, 5> kKnown = {"collection", "segments", "tuning", "history",
                                                      "schema"};
  reader.file().require_known(kKnown);
  Manifest manifest;
  manifest.info = fixed_value<ManifestInfo>(reader, "collection");
  check_info(reader, manifest.info, version);
  const auto segments = reader.fixed_all<SegmentEntry>("segments");
  manifest.segments.assign(segments.begin(), segments.end());
  if (reader.has("history")) manifest.history = fixed_value<History>(reader, "history");
  for (const SegmentEntry& entry : segments) check_entry(reader, entry, manifest.info);
  const auto read = [&](const char* section, auto take) {
    if (!reader.has(section)) return;
    try {
      take(reader.fixed(section));
    } catch (const std::invalid_argument& error) {
      reader.refuse(section, error.what());
    }
  };
  read("tuning", [&](const auto& bytes) { manifest.tuning = read_tuning(bytes); });
  read("schema", [&](const auto& bytes) {
    manifest.schema = std::make_shared<const ColumnSchema>(read_collection_schema(bytes));
  });
  return manifest;
}

void write_deleted(const std::string& path, const RowBits& rows) {
  SectionWriter writer(path);
  const std::vector<std::uint64_t> words = rows.words();
  writer.add("deleted", std::as_bytes(std::span(words)), Need::required);
  writer.commit();
}

std::shared_ptr<const RowBits> read_deleted(const std::string& path, std::uint64_t rows,
                                            std::uint64_t count) {
  SectionReader reader(path, Loading::memory);
  const auto words = reader.fixed_array<std::uint64_t>("deleted", (rows + 63) / 64, 1);
  auto bits = std::make_shared<RowBits>(rows);
  for (std::size_t i = 0; i < words.size(); ++i) {
    for (std::uint64_t left = words[i]; left != 0; left &= left - 1) {
      const std::size_t row = 64 * i + static_cast<std::size_t>(std::countr_zero(left));
      if (row >= rows) reader.refuse("deleted", fmt::format("row {} of {}", row, rows));
      bits->add(static_cast<std::uint32_t>(row));
    }
  }
  if (bits->count() != count) {
    reader.refuse("deleted", fmt::format("{} rows, not {}", bits->count(), count));
  }
  return bits;
}

std::uint32_t check_of_file(const std::string& path) {
  const InputFile file(path);
  std::array<std::byte, 64> head{};
  const std::size_t present = std::min<std::size_t>(head.size(), file.size());
  file.read(0, std::span(head).first(present), "header");
  return crc32c(head);
}

}  // namespace obliq

// Sections, all little-endian, arrays without gaps:
//
//     info        SegmentInfo, 128 bytes
//     mean        float32 [dim]
//     quantizer   what a trained quantizer's codes need to be decoded; left out when empty
//     centroids   int8 [nlist][dim], see centroid_code.h
//     far.lists   uint32 [far lists], rising; left out, like the next, when there are none
//     far.points  float32 [far lists][dim]: their centroids
//     lists       ListRecord [nlist], 32 bytes each
//     router.blk  blocks of the centroids' signs
//     groups      ListRecord [groups], 32 bytes each (build/list_groups.h); left out when empty
//     group.codes panels of their points (byte_panels.h); left out when there are none
//     blocks      sign blocks, [entries / 32][block_bytes(dim)]
//     rows        [n][row bytes]; with the primary entry where the lists have more than n entries
//     raw         [n][dim] fp16 or fp32; empty without a raw tier
//     ids         int64 [n]; empty when ids are positions
//     tuning      ways to target recalls (tuning_section.h); left out when there are none
#include "index/segment/segment_file.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <deque>
#include <initializer_list>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "core/kernels/kernels.h"
#include "index/segment/byte_panels.h"
#include "index/segment/entry_format.h"
#include "index/segment/raw_tier.h"
#include "index/segment/tuning_section.h"
#include "storage/section_file.h"

namespace obliq {
namespace {

static_assert(std::endian::native == std::endian::little, "files are little-endian");

template <typename T>
std::span<const std::byte> bytes_of(std::span<const T> values) {
  return std::as_bytes(values);
}

// A file and copies of some of its sections.
struct FileAndCopies {
  FileAndCopies(const std::string& path, Loading loading) : file(path, loading) {}

  SectionFile file;
  std::deque<std::vector<std::byte>> copies;
};

// Reads the sections of one file and refuses what does not fit together. What leads a search to
// other places, the records of lists and groups above all, is copied out of a mapped file before it
// is checked: a file that is written over while it is in use may then change answers, but not lead
// a search astray.
class Reader {
 public:
  Reader(const std::string& path, Residence residence)
      : mapped_(residence == Residence::mapped),
        owner_(std::make_shared<FileAndCopies>(path, mapped_ ? Loading::mapped : Loading::memory)),
        file_(&owner_->file) {}

  Segment read(bool verify_all);

 private:
  [[noreturn]] void refuse(std::string_view section, const std::string& reason) const {
    throw std::runtime_error(fmt::format("{}: section '{}' at offset {}: {}", file_->path(),
                                         section, file_->offset(section), reason));
  }
  template <typename T>
  std::span<const T> array(std::string_view section, std::uint64_t count,
                           std::uint64_t width) const;
  /// Bytes whose checksum holds, and which stay as they are.
  std::span<const std::byte> fixed(std::string_view section);
  /// The same as array gives them.
  template <typename T>
  std::span<const T> fixed_array(std::string_view section, std::uint64_t count,
                                 std::uint64_t width);
  template <typename T>
  std::span<const T> as_array(std::string_view section, std::span<const std::byte> bytes,
                              std::uint64_t count, std::uint64_t width) const;
  void read_info(SegmentInfo& info);
  void check_lists(const Segment& segment) const;
  void check_primaries(const Segment& segment) const;
  void read_far_lists(Segment& segment);
  void read_centroids(Segment& segment) const;
  void read_groups(Segment& segment);
  std::uint64_t count_spilled(const Segment& segment) const;
  Tuning read_ladders();
  void advise() const;

  bool mapped_;
  std::shared_ptr<FileAndCopies> owner_;
  const SectionFile* file_;
};

// The section as `count` items of `width` values; its size must be exactly that.
template <typename T>
std::span<const T> Reader::as_array(std::string_view section, std::span<const std::byte> bytes,
                                    std::uint64_t count, std::uint64_t width) const {
  const auto expected = static_cast<unsigned __int128>(count) * width * sizeof(T);
  if (bytes.size() != expected) {
    refuse(section, fmt::format("{} bytes, expected {} items of {} bytes", bytes.size(), count,
                                width * sizeof(T)));
  }
  return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
}

template <typename T>
std::span<const T> Reader::array(std::string_view section, std::uint64_t count,
                                 std::uint64_t width) const {
  return as_array<T>(section, file_->section(section), count, width);
}

template <typename T>
std::span<const T> Reader::fixed_array(std::string_view section, std::uint64_t count,
                                       std::uint64_t width) {
  return as_array<T>(section, fixed(section), count, width);
}

std::span<const std::byte> Reader::fixed(std::string_view section) {
  if (mapped_) return owner_->copies.emplace_back(file_->verified_copy(section));
  file_->verify(section);
  return file_->section(section);
}

// A query looks up rows here and there; read around each, they would bring in most of the file.
void Reader::advise() const {
  file_->advise(Access::random);
  for (const char* scanned : {"router.blk", "group.codes", "blocks"}) {
    if (file_->has(scanned)) file_->advise(scanned, Access::sequential);
  }
}

void Reader::read_info(SegmentInfo& info) {
  const auto bytes = fixed("info");
  if (bytes.size() != sizeof info) refuse("info", fmt::format("{} bytes", bytes.size()));
  std::memcpy(&info, bytes.data(), sizeof info);
  if (info.dim == 0 || info.dim > 65536) refuse("info", fmt::format("dim {}", info.dim));
  if (info.n >= 0xFFFFFFFFU) refuse("info", fmt::format("n {}", info.n));
  if (info.nlist >= 0xFFFFFFFFU) refuse("info", fmt::format("nlist {}", info.nlist));
  if (info.entries % kBlockEntries != 0) refuse("info", fmt::format("{} entries", info.entries));
  if (info.metric > 2) refuse("info", fmt::format("metric {}", info.metric));
  if (info.names_primaries > 1) refuse("info", "rows name neither one primary entry nor none");
  if (info.raw > 3) refuse("info", fmt::format("raw tier {}", info.raw));
  if (info.quantizer[sizeof info.quantizer - 1] != 0) refuse("info", "quantizer has no end");
  int exponent = 0;
  if (!std::isnormal(info.scale) || std::frexp(info.scale, &exponent) != 0.5F) {
    refuse("info", fmt::format("scale {}: damaged, or of an obliq before 0.2, which must build the "
                               "index again",
                               info.scale));
  }
  for (const float value : {info.sine, info.row_tangent, info.typical_norm, info.list_weight,
                            info.router.scale, info.router.add_scale}) {
    if (!std::isfinite(value)) refuse("info", "a number is not finite");
  }
}

void Reader::check_lists(const Segment& segment) const {
  for (std::size_t l = 0; l < segment.lists.size(); ++l) {
    const ListRecord& record = segment.lists[l];
    if (record.first > segment.info.entries || record.count > segment.info.entries - record.first) {
      refuse("lists", fmt::format("list {} ends beyond the {} entries", l, segment.info.entries));
    }
    if (!std::isfinite(record.scale) || !std::isfinite(record.add_scale) ||
        !std::isfinite(record.centroid_scale) || !std::isfinite(record.centroid_norm2)) {
      refuse("lists", fmt::format("list {} has a unit that is not finite", l));
    }
  }
  if (segment.info.router.first != 0 || segment.info.router.count != segment.info.nlist) {
    refuse("info", "the router does not cover the lists");
  }
}

// Entries beyond one per vector.
std::uint64_t Reader::count_spilled(const Segment& segment) const {
  std::uint64_t total = 0;
  for (const ListRecord& record : segment.lists) total += record.count;
  const std::uint64_t n = segment.info.n;
  if (total < n || total - n > n) {
    refuse("lists", fmt::format("{} entries for {} vectors", total, n));
  }
  if (total > n && segment.info.names_primaries == 0) {
    refuse("lists", "there are second entries, but rows do not name their primary entries");
  }
  return total - n;
}

// Where vectors are spilled each row's primary must be a list, and the entry there name the row. A
// search is safe without: it looks at the numbers before it follows them.
void Reader::check_primaries(const Segment& segment) const {
  const RowShape& shape = segment.row_shape;
  for (std::size_t row = 0; row < segment.info.n && shape.primary() > 0; ++row) {
    const PrimaryEntry primary = read_primary(shape, segment.rows.data() + row * shape.bytes());
    bool sound = primary.list < segment.lists.size();
    if (sound && shape.primary_entry > 0) {
      const ListRecord& list = segment.lists[primary.list];
      sound = primary.entry - list.first < list.count &&
              entry_row(segment.blocks.data(), segment.dim(), primary.entry) == row;
    }
    if (!sound)
      refuse("rows", fmt::format("row {} is not in its primary, list {}", row, primary.list));
  }
}

// Before complete(), which numbers them.
void Reader::read_far_lists(Segment& segment) {
  if (!file_->has("far.lists")) return;
  file_->verify("far.points");
  const std::size_t count = file_->section("far.lists").size() / sizeof(std::uint32_t);
  segment.far_lists = fixed_array<std::uint32_t>("far.lists", count, 1);
  segment.far_points = array<float>("far.points", count, segment.dim());
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t list = segment.far_lists[i];
    if (list >= segment.info.nlist || (i > 0 && list <= segment.far_lists[i - 1])) {
      refuse("far.lists", fmt::format("list {} of {}, or out of order", list, segment.info.nlist));
    }
  }
  for (const float value : segment.far_points) {
    if (!std::isfinite(value)) refuse("far.points", "a number is not finite");
  }
}

void Reader::read_centroids(Segment& segment) const {
  const std::uint64_t nlist = segment.info.nlist;
  segment.centroid_levels = array<std::int8_t>("centroids", nlist, segment.dim());
  segment.router_blocks =
      array<std::uint8_t>("router.blk", block_count(nlist), block_bytes(segment.dim()));
}

// Groups must divide the lists among them, in their order.
void Reader::read_groups(Segment& segment) {
  if (!file_->has("groups")) return;
  file_->verify("group.codes");
  const std::size_t groups = file_->section("groups").size() / sizeof(ListRecord);
  segment.groups = fixed_array<ListRecord>("groups", groups, 1);
  segment.group_panels = array<std::uint8_t>("group.codes", panel_bytes(groups, segment.dim()), 1);
  std::uint64_t lists = 0;
  for (std::size_t g = 0; g < groups; ++g) {
    const ListRecord& group = segment.groups[g];
    if (group.first != lists) {
      refuse("groups", fmt::format("group {} begins at list {}, not {}", g, group.first, lists));
    }
    for (const float value : {group.centroid_scale, group.centroid_norm2, group.mean_r2}) {
      if (std::isfinite(value)) continue;
      refuse("groups", fmt::format("group {} has a number that is not finite", g));
    }
    lists += group.count;
  }
  if (lists != segment.info.nlist) {
    refuse("groups", fmt::format("{} lists in groups, {} in the index", lists, segment.info.nlist));
  }
}

Tuning Reader::read_ladders() {
  if (!file_->has("tuning")) return {};
  const auto bytes = fixed("tuning");
  try {
    return read_tuning(bytes);
  } catch (const std::invalid_argument& error) {
    refuse("tuning", error.what());
  }
}

Segment Reader::read(bool verify_all) {
  if (verify_all) file_->verify_all();
  for (const char* section : {"centroids", "router.blk"}) file_->verify(section);
  Segment segment;
  SegmentInfo& info = segment.info;
  read_info(info);
  segment.mean = fixed_array<float>("mean", info.dim, 1);
  segment.lists = fixed_array<ListRecord>("lists", info.nlist, 1);
  check_lists(segment);
  segment.spilled = count_spilled(segment);
  const bool trained = file_->has("quantizer");
  if (trained) {
    const std::size_t bytes = file_->section("quantizer").size();
    segment.quantizer_state = fixed_array<std::uint8_t>("quantizer", bytes, 1);
  }
  read_far_lists(segment);
  try {
    complete(segment);
  } catch (const std::invalid_argument& error) {
    refuse(trained ? "quantizer" : "info", error.what());
  }
  read_centroids(segment);
  read_groups(segment);
  segment.blocks =
      array<std::uint8_t>("blocks", info.entries / kBlockEntries, block_bytes(info.dim));
  segment.rows = array<std::uint8_t>("rows", info.n, segment.row_shape.bytes());
  segment.raw = array<std::uint8_t>("raw", info.n, raw_bytes(segment.raw_tier(), info.dim));
  if (!file_->section("ids").empty()) segment.ids = array<std::int64_t>("ids", info.n, 1);
  if (verify_all) check_primaries(segment);
  segment.tuning = read_ladders();
  segment.file_bytes = file_->file_bytes();
  segment.format_version = file_->format_version();
  segment.owner = owner_;
  advise();
  return segment;
}

}  // namespace

void write_small_sections(SectionWriter& writer, const Segment& segment) {
  writer.add("info", std::as_bytes(std::span(&segment.info, 1)));
  writer.add("mean", bytes_of(segment.mean));
  if (!segment.quantizer_state.empty()) {
    writer.add("quantizer", bytes_of(segment.quantizer_state));
  }
  writer.add("centroids", bytes_of(segment.centroid_levels));
  if (!segment.far_lists.empty()) {
    writer.add("far.lists", bytes_of(segment.far_lists));
    writer.add("far.points", bytes_of(segment.far_points));
  }
  writer.add("lists", bytes_of(segment.lists));
  writer.add("router.blk", bytes_of(segment.router_blocks));
  if (!segment.groups.empty()) {
    writer.add("groups", bytes_of(segment.groups));
    writer.add("group.codes", bytes_of(segment.group_panels));
  }
  const SegmentInfo& info = segment.info;
  writer.expect(info.entries / kBlockEntries * block_bytes(info.dim) +
                info.n * (segment.row_shape.bytes() + raw_bytes(segment.raw_tier(), info.dim)) +
                segment.ids.size_bytes());
}

void save_segment(const Segment& segment, const std::string& path) {
  SectionWriter writer(path);
  write_small_sections(writer, segment);
  writer.add("blocks", bytes_of(segment.blocks));
  writer.add("rows", bytes_of(segment.rows));
  writer.add("raw", bytes_of(segment.raw));
  writer.add("ids", bytes_of(segment.ids));
  if (segment.tuning.queries > 0) writer.add("tuning", write_tuning(segment.tuning));
  writer.commit();
}

Segment open_segment(const std::string& path, const OpenOptions& options) {
  return Reader(path, options.residence).read(options.verify);
}

}  // namespace obliq

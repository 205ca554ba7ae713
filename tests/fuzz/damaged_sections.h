// What the fuzz targets of models, segments and indexes share. An input is not a file but a script:
// it names one of a few tiny sets (tests/index/tiny_files.h), which are made when the target
// starts, and edits the sections of one of its files. The edited file is sealed with right
// checksums, so that each edit gets past them. Hence an input outlives changes of the format.
//
//     set, uint8 | what is done with the file, uint8; then edits, until the input ends:
//         kind, uint8 | section, uint8 | numbers of the kind, see edit()
//
// Numbers are little-endian and taken modulo what there is; beyond the end of the input all is 0.
// Bytes past kMostBytes change nothing, which keeps the found inputs short: a file of which little
// is left is refused early, and finds nothing.
// Files pass through a folder: TMPDIR=/dev/shm makes that fast.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "storage/crc32c.h"
#include "storage/section_file.h"
#include "storage/section_layout.h"
#include "tests/index/tiny_files.h"
#include "tests/storage/files.h"

namespace obliq::fuzzing {

inline void require(bool holds) {
  if (!holds) std::abort();
}

constexpr std::size_t kMostBytes = 128;  // of an input: some twenty edits

/// The bytes of an input, zeros behind its end.
class Script {
 public:
  explicit Script(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  bool ended() const { return bytes_.empty(); }
  template <typename T>
  T take() {
    T value = 0;
    const std::size_t present = std::min(sizeof value, bytes_.size());
    if (present > 0) std::memcpy(&value, bytes_.data(), present);  // data() may be null
    bytes_ = bytes_.subspan(present);
    return value;
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

struct FuzzedSection {
  std::string name;
  Bytes bytes;
};
using Sections = std::vector<FuzzedSection>;

inline Sections read_sections(const std::string& path) {
  const SectionFile file(path);
  Sections sections;
  for (const std::string& name : file.section_names()) {
    const auto bytes = file.section(name);
    sections.push_back({name, {bytes.begin(), bytes.end()}});
  }
  return sections;
}

/// A file of these sections, with right checksums.
inline Bytes sealed(const Sections& sections) {
  Bytes file(sizeof(FileHeader));
  std::vector<TableEntry> table;
  for (const auto& [name, bytes] : sections) {
    TableEntry entry{};
    std::memcpy(entry.name, name.data(), name.size());
    entry.offset = file.size();
    entry.bytes = bytes.size();
    file.insert(file.end(), bytes.begin(), bytes.end());
    file.resize(file.size() + padding_after(bytes.size()));
    entry.crc = crc32c(std::span<const std::byte>(file).subspan(entry.offset));
    table.push_back(entry);
  }
  FileHeader header{};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  header.format_version = kFormatVersion;
  header.section_count = static_cast<std::uint32_t>(table.size());
  header.table_offset = file.size();
  const auto table_bytes = std::as_bytes(std::span(table));
  header.table_crc = crc32c(table_bytes);
  file.insert(file.end(), table_bytes.begin(), table_bytes.end());
  header.file_bytes = file.size();
  const auto header_bytes = std::as_bytes(std::span(&header, 1));
  header.header_crc = crc32c(header_bytes.first(offsetof(FileHeader, header_crc)));
  std::copy(header_bytes.begin(), header_bytes.end(), file.begin());
  return file;
}

/// Writes a number at a multiple of its size.
template <typename T>
void put(Bytes& bytes, std::size_t place, T value) {
  const std::size_t places = bytes.size() / sizeof value;
  if (places > 0) std::memcpy(bytes.data() + place % places * sizeof value, &value, sizeof value);
}

/// Numbers at which readers go wrong, as the 32 bits of an integer or a float.
inline std::uint32_t special_number(std::size_t i) {
  constexpr float kFloats[] = {0.0F,
                               -0.0F,
                               1.0F,
                               -1.0F,
                               1e-45F,
                               -1e-38F,
                               3e38F,
                               -3e38F,
                               1e19F,
                               -1e19F,
                               65504,
                               std::numeric_limits<float>::infinity(),
                               -std::numeric_limits<float>::infinity(),
                               std::numeric_limits<float>::quiet_NaN()};
  constexpr std::uint32_t kIntegers[] = {
      1,     2,          31,         32,         33,         255,        256,       65535,
      65536, 0x7FFFFFFF, 0x80000000, 0x80008000, 0xFFFF0000, 0xFFFFFFFE, 0xFFFFFFFF};
  i %= std::size(kFloats) + std::size(kIntegers);
  if (i < std::size(kFloats)) return std::bit_cast<std::uint32_t>(kFloats[i]);
  return kIntegers[i - std::size(kFloats)];
}

/// Copies a run of bytes within a section.
inline void repeat(Bytes& bytes, std::size_t from, std::size_t to, std::size_t count) {
  if (bytes.empty()) return;
  for (std::size_t i = 0; i < count; ++i) {
    bytes[(to + i) % bytes.size()] = bytes[(from + i) % bytes.size()];
  }
}

/// Takes one edit from the script.
inline void edit(Script& script, Sections& sections) {
  const std::size_t kind = script.take<std::uint8_t>();
  const std::size_t number = script.take<std::uint8_t>() % sections.size();
  Bytes& bytes = sections[number].bytes;
  const std::size_t place = script.take<std::uint16_t>();
  switch (kind % 9) {
    case 0:
      return put(bytes, place, script.take<std::uint8_t>());
    case 1:
      return put(bytes, place, script.take<std::uint16_t>());
    case 2:
      return put(bytes, place, script.take<std::uint32_t>());
    case 3:
      return put(bytes, place, script.take<std::uint64_t>());
    case 4:
      return put(bytes, place, special_number(script.take<std::uint8_t>()));
    case 5: {  // a number that is off by a little
      const std::size_t places = std::max<std::size_t>(1, bytes.size() / 4);
      std::uint32_t value = 0;
      if (bytes.size() < sizeof value) return;
      std::memcpy(&value, bytes.data() + place % places * 4, sizeof value);
      return put(bytes, place, value + static_cast<std::uint32_t>(script.take<std::int8_t>()));
    }
    case 6:
      return bytes.resize(place % (2 * bytes.size() + 256));
    case 7: {
      const std::size_t from = script.take<std::uint16_t>();
      return repeat(bytes, from, place, script.take<std::uint8_t>());
    }
    default:
      if (sections.size() > 1) {
        sections.erase(sections.begin() + static_cast<std::ptrdiff_t>(number));
      }
  }
}

/// A set in whose folder the edited file is `edited`, and what is to be done with it, any number.
struct Edited {
  const testing::TinyFiles& files;
  std::size_t use;

  std::string path(const std::string& name) const { return files.path(name); }
};

/// The sets that scripts choose from, and where one of their files is edited.
class Sets {
 public:
  /// `file`: which of the files of TinyFiles is edited.
  explicit Sets(const std::string& file) : file_(file) {
    using testing::TinySpec;
    const TinySpec specs[] = {
        {"lm2:query", Metric::l2, RawTier::fp16, 2, true},
        {"sq8", Metric::ip, RawTier::none, 1, false},
        {"tq2.5", Metric::cosine, RawTier::fp32, 3, false},
        {"tqp3", Metric::l2, RawTier::none, 1, true},
        {"wf4", Metric::ip, RawTier::fp16, 2, false},
        {"e8q8:query", Metric::cosine, RawTier::fp16, 1, true},
        {"lm4", Metric::l2, RawTier::fp32, 1, true, 1},
        {"kashin3", Metric::ip, RawTier::none, 4, true, 24},
    };
    for (std::size_t i = 0; i < std::size(specs); ++i) {
      folders_.push_back(std::make_unique<TemporaryFolder>(work_.path()));
      files_.emplace_back(folders_.back()->path(), specs[i]);
      sound_.push_back(read_sections(files_.back().path(file)));
    }
  }

  /// Edits the file as the input tells.
  Edited edit_file(std::span<const std::uint8_t> input) const {
    Script script(input.first(std::min(input.size(), kMostBytes)));
    const std::size_t set = script.take<std::uint8_t>() % files_.size();
    const std::size_t use = script.take<std::uint8_t>();
    Sections sections = sound_[set];
    while (!script.ended()) edit(script, sections);
    write_bytes(files_[set].path("edited"), sealed(sections));
    return {files_[set], use};
  }

 private:
  std::string file_;
  TemporaryFolder work_;
  std::vector<std::unique_ptr<TemporaryFolder>> folders_;
  std::vector<testing::TinyFiles> files_;
  std::vector<Sections> sound_;
};

/// Calls a use of a damaged file, which may end in an error of the library, and in no other.
template <typename Use>
bool survives(Use use) {
  try {
    use();
    return true;
  } catch (const std::invalid_argument&) {
  } catch (const std::runtime_error&) {
  }
  return false;
}

/// Searches in one of several ways, and looks a vector up.
inline void use_index(const Index& index, const Edited& edited) {
  const SearchOptions ways[] = {
      {.k = 3, .nprobe = 2, .threads = 1, .batch_order = BatchOrder::list},
      {.k = 40, .confidence = 1, .threads = 1},
      {.k = 5, .threads = 1, .target_recall = .5},
      {.k = 4, .nprobe = 1, .confidence = .5, .threads = 1},
  };
  const std::size_t way = edited.use % std::size(ways);
  const MatrixView<float> queries = edited.files.base().view().slice(0, 3);
  survives([&] { index.search(queries, ways[way]); });
  index.stats();
  const std::int64_t ids[] = {2, 50, 31, 15};  // positions, and external ones
  std::vector<float> vector(testing::TinyFiles::kDim);
  if (index.contains(ids[way])) survives([&] { index.reconstruct(ids[way], vector.data()); });
  std::vector<float> vectors(std::size(ids) * vector.size());
  survives([&] { index.reconstruct(ids, vectors.data()); });
}

/// Encodes four vectors of the set into the segment `encoded`.
inline void encode_four(const Model& model, const Edited& edited) {
  constexpr std::size_t kCount = 4;
  Matrix<std::int64_t> ids(kCount, 1);
  std::iota(ids.values.begin(), ids.values.end(), 100);
  EncodeOptions options;
  options.threads = 1;
  if (edited.files.has_ids()) {
    options.ids = ids.view();
  } else {
    options.first = 40;
  }
  model.encode(edited.files.base().view().slice(0, kCount), edited.path("encoded"), options);
}

/// Merges, and uses what came of it, which must be sound.
inline void use_merged(const Model& model, const std::vector<std::string>& segments,
                       const Edited& edited, const MergeOptions& options) {
  const std::string path = edited.path("merged");
  if (!survives([&] { merge(model, segments, path, options); })) return;
  const bool is_index = !options.as_segment && options.lists.end == 0;
  require(survives([&] {
    use_index(is_index ? Index::open(path, {.verify = true})
                       : Index::open(model, std::vector{path}, {.verify = true}),
              edited);
  }));
}

}  // namespace obliq::fuzzing

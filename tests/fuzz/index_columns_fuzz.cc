// Edits the sections of the columns of a segment (damaged_sections.h), reads and verifies them,
// and merges the segment with a sound one, one run in four in memory, one in 64 through files.
// Whatever the edits, values are read or refused; what was verified is read whole, and merged to
// what verifies.
#include "index/build/merge.h"
#include "index/columns/column_sections.h"
#include "index/segment/model_file.h"
#include "index/segment/segment_file.h"
#include "tests/fuzz/damaged_sections.h"

namespace obliq::fuzzing {
namespace {

class MemoryColumns final : public ColumnSource {
 public:
  explicit MemoryColumns(const Sections& sections) : sections_(sections) {}

  bool has(const std::string& section) const override { return find(section) != nullptr; }
  std::span<const std::byte> bytes(const std::string& section) const override {
    const Bytes* bytes = find(section);
    if (bytes == nullptr) throw fault(section, "is missing");
    return *bytes;
  }
  std::runtime_error fault(const std::string& section, const std::string& reason) const override {
    return std::runtime_error(section + ": " + reason);
  }

 private:
  const Bytes* find(const std::string& name) const {
    for (const FuzzedSection& section : sections_) {
      if (section.name == name) return &section.bytes;
    }
    return nullptr;
  }

  const Sections& sections_;
};

bool verifies(const ColumnTable& table, const Segment& segment) {
  static const Sections none;
  return survives([&] { verify_columns(table, segment.lists.row_ends(), MemoryColumns(none)); });
}

/// Reads all values. Whether they are values of their types.
bool reads(const ColumnTable& table) {
  bool all = true;
  for (const StoredColumn& column : table.columns) {
    ColumnValues values(column.spec);
    for (std::uint32_t row = 0; row < table.rows; ++row) {
      all &= survives([&] { add_stored(&column, row, values); });
    }
  }
  return all;
}

/// A set whose first segment gets edited columns.
struct Target {
  testing::TinyFiles files;
  std::shared_ptr<const TrainedModel> model;
  Segment first, second;
  Sections others, columns;  // of the first segment's file

  Target(const std::string& folder, const testing::TinySpec& spec) : files(folder, spec) {
    model = open_model(files.path("model"), {});
    first = open_segment(files.path("first"), model, {.residence = Residence::memory});
    second = open_segment(files.path("second"), model, {.residence = Residence::memory});
    for (FuzzedSection& section : read_sections(files.path("first"))) {
      const bool is_column =
          section.name == kColumnsSection || (section.name[0] == 'c' && section.name.find('.') < 3);
      (is_column ? columns : others).push_back(std::move(section));
    }
  }
};

void use_files(const Target& target, Sections sections, std::size_t use) {
  const std::string edited = target.files.path("edited");
  const std::string merged = target.files.path("merged");
  const Model model = ModelAccess::make(target.model);
  sections.insert(sections.end(), target.others.begin(), target.others.end());
  write_bytes(edited, sealed(sections));
  const std::vector<std::string> segments = {edited, target.files.path("second")};
  const std::vector<std::int64_t> deleted = {1, 15, 31};
  const MergeOptions ways[] = {{.as_segment = true, .deleted = deleted, .threads = 1},
                               {.lists = {1, 5}, .threads = 1},
                               {.as_segment = true, .threads = 1}};
  if (!survives([&] { merge(model, segments, merged, ways[use % 3]); })) return;
  const Segment again = open_segment(merged, target.model, {.verify = true});
  require(reads(*again.columns));
}

void use_memory(const Target& target, const Sections& sections, bool merges) {
  const MemoryColumns source(sections);
  const auto table = std::make_shared<ColumnTable>(
      read_columns(source.bytes(kColumnsSection), source, target.first.info.rows,
                   target.first.lists.records().size()));
  const bool is_sound = verifies(*table, target.first);
  require(reads(*table) || !is_sound);
  if (!merges) return;
  Segment edited = target.first;
  edited.columns = table;
  const auto merge_both = [&] {
    const std::vector<MergeSource> sources = {{edited, "edited"}, {target.second, "second"}};
    const Segment merged = merge_in_memory(target.model, sources);
    const bool reads_all = reads(*merged.columns);
    require(!is_sound || (reads_all && verifies(*merged.columns, merged)));
  };
  survives(merge_both);
}

void run(std::span<const std::uint8_t> input) {
  static const TemporaryFolder folder;
  static const Target target(folder.path(), {.truth = false, .columns = true});
  Script script(input.first(std::min(input.size(), kMostBytes)));
  const std::size_t use = script.take<std::uint8_t>();
  Sections sections = target.columns;
  while (!script.ended()) edit(script, sections);
  if (use >= 252) {
    survives([&] { use_files(target, sections, use); });
  } else {
    survives([&] { use_memory(target, sections, use % 4 == 0); });
  }
}

}  // namespace
}  // namespace obliq::fuzzing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  obliq::fuzzing::run({data, size});
  return 0;
}

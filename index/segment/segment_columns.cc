// Columns know sections by name alone; here they get those of a file.
#include "index/segment/segment_columns.h"

#include "index/columns/column_sections.h"

namespace obliq {
namespace {

class FileColumns final : public ColumnSource {
 public:
  explicit FileColumns(const SectionReader& reader) : reader_(reader) {}

  bool has(const std::string& section) const override { return reader_.has(section); }
  std::span<const std::byte> bytes(const std::string& section) const override {
    return reader_.file().section(section);
  }
  std::runtime_error fault(const std::string& section, const std::string& reason) const override {
    return reader_.fault(section, reason);
  }

 private:
  const SectionReader& reader_;
};

}  // namespace

std::shared_ptr<const ColumnTable> read_columns(SectionReader& reader, const Segment& segment,
                                                bool verify) {
  if (!reader.has(kColumnsSection)) return nullptr;
  const FileColumns source(reader);
  auto table = std::make_shared<ColumnTable>(read_columns(
      reader.fixed(kColumnsSection), source, segment.info.rows, segment.lists.records().size()));
  table->owner = reader.owner();
  if (verify) verify_columns(*table, segment.lists.row_ends(), source);
  return table;
}

}  // namespace obliq

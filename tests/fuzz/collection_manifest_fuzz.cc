// Manifests and bitmaps of deleted rows. An input names one of the two and edits its sections; the
// file is sealed with right checksums (damaged_sections.h has the edits).
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>

#include "collection/column_schema.h"
#include "collection/manifest.h"
#include "obliq/collection.h"
#include "tests/fuzz/damaged_sections.h"

namespace obliq::fuzzing {
namespace {

constexpr std::uint64_t kRows = 300;

class SoundFiles {
 public:
  SoundFiles() {
    CollectionOptions options;
    options.dim = 8;
    Manifest manifest;
    manifest.info = manifest_of(options);
    manifest.info.version = 1;
    manifest.segments.resize(3);
    manifest.schema = std::make_shared<const ColumnSchema>(
        ColumnSchema{{"year", ColumnType::int64}, {"lang", ColumnType::keyword}});
    write_manifest(directory_, manifest);
    RowBits rows(kRows);
    for (std::uint32_t row = 0; row < kRows; row += 7) rows.add(row);
    count_ = rows.count();
    write_deleted(bitmap(), rows);
    manifest_ = read_sections(directory_.manifest(1));
    bitmap_ = read_sections(bitmap());
  }
  void use(std::span<const std::uint8_t> input) const {
    Script script(input);
    const bool is_manifest = script.take<std::uint8_t>() % 2 == 0;
    Sections sections = is_manifest ? manifest_ : bitmap_;
    while (!script.ended()) edit(script, sections);
    write_bytes(is_manifest ? directory_.manifest(1) : bitmap(), sealed(sections));
    survives([&] {
      if (is_manifest) {
        const Manifest read = read_manifest(directory_, 1);
        require(read.info.version == 1 && read.info.dim > 0);
        const std::string schema = write_collection_schema(*read.schema);
        require(read.schema->empty() ||
                read_collection_schema(std::as_bytes(std::span(schema))) == *read.schema);
      } else {
        require(read_deleted(bitmap(), kRows, count_)->count() == count_);
      }
    });
  }

 private:
  std::string bitmap() const { return folder_.path() + "/bitmap"; }

  TemporaryFolder folder_;
  CollectionDirectory directory_{folder_.path()};
  Sections manifest_;
  Sections bitmap_;
  std::size_t count_ = 0;
};

}  // namespace
}  // namespace obliq::fuzzing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const obliq::fuzzing::SoundFiles files;
  files.use({data, size});
  return 0;
}

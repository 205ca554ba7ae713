// Classic HDF5 files as a container: names lead to object headers, messages to values.
#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "datasets/hdf5_chunks.h"
#include "datasets/hdf5_container.h"
#include "datasets/hdf5_heap.h"

namespace obliq::datasets {
namespace {

class ContiguousRows final : public StoredRows {
 public:
  ContiguousRows(const std::uint8_t* values, std::size_t row_bytes)
      : values_(values), row_bytes_(row_bytes) {}
  void read(std::size_t first, std::size_t count, std::uint8_t* out) override {
    std::memcpy(out, values_ + first * row_bytes_, count * row_bytes_);
  }

 private:
  const std::uint8_t* values_;
  std::size_t row_bytes_;
};

class ClassicContainer final : public Hdf5Container {
 public:
  ClassicContainer(const AddressedFile& file, std::uint64_t root)
      : file_(file), root_(read_object(file_, root)), links_(read_group(file_, root_)) {}

  /// Whether an object of the root group is of the newer kind.
  bool has_newer_objects() const {
    return std::any_of(links_.begin(), links_.end(), [&](const auto& link) {
      return link.second < file_.bytes.bytes.size() && is_newer_object(file_, link.second);
    });
  }

  bool has(const std::string& dataset) const override { return find(dataset).has_value(); }
  StoredDataset open(const std::string& name) const override;
  std::optional<std::string> text_attribute(const std::string& name) const override;

 private:
  std::optional<std::uint64_t> find(const std::string& path) const;

  AddressedFile file_;
  std::vector<ObjectMessage> root_;
  std::map<std::string, std::uint64_t> links_;
};

// "group/dataset", as HDF5 writes paths.
std::optional<std::uint64_t> ClassicContainer::find(const std::string& path) const {
  auto links = links_;
  for (std::size_t start = 0;;) {
    const std::size_t slash = path.find('/', start);
    const auto found = links.find(path.substr(start, slash - start));
    if (found == links.end()) return std::nullopt;
    if (slash == std::string::npos) return found->second;
    links = read_group(file_, read_object(file_, found->second));
    start = slash + 1;
  }
}

StoredDataset ClassicContainer::open(const std::string& name) const {
  StoredDataset dataset;
  AddressedFile named = file_;
  named.bytes.name = fmt::format("{}: dataset '{}'", file_.bytes.name, name);
  dataset.file = std::make_unique<const AddressedFile>(std::move(named));
  const AddressedFile& file = *dataset.file;
  const auto address = find(name);
  if (!address) throw std::runtime_error(file.bytes.name + " is not in the file");
  const auto messages = read_object(file, *address);
  const auto part = [&](Message type, std::string_view what) {
    const ObjectMessage* message = find_message(messages, type);
    if (message == nullptr) file.at(*address, 0, what).fail(fmt::format("{} is missing", what));
    return file.message(*message, what);
  };
  const auto dims = parse_dataspace(part(Message::dataspace, "a dataspace"));
  const StoredType type = parse_datatype(part(Message::datatype, "a datatype"));
  const StoredLayout layout = parse_layout(file, part(Message::layout, "a layout"));
  const ObjectMessage* packing = find_message(messages, Message::filters);
  std::vector<Filter> filters;
  if (packing != nullptr) filters = parse_filters(file.message(*packing, "filters"));
  set_shape(dataset, dims, type, layout.chunked ? file.bytes.bytes.size() : layout.bytes,
            !filters.empty());
  if (!layout.chunked) {
    dataset.values = std::make_unique<ContiguousRows>(file.bytes.bytes.data() + layout.offset,
                                                      dataset.cols * type.width);
  } else {
    if (layout.chunk.size() != dims.size()) file.at(*address, 0, "").fail("chunks of another rank");
    dataset.chunk_rows = layout.chunk[0];
    dataset.values = std::make_unique<ChunkedRows>(dataset, layout, std::move(filters));
  }
  return dataset;
}

std::optional<std::string> ClassicContainer::text_attribute(const std::string& name) const {
  for (const ObjectMessage& message : root_) {
    if (message.type != Message::attribute || message.shared) continue;
    const Attribute attribute = parse_attribute(file_.message(message, "an attribute"));
    if (attribute.name != name || !attribute.type) continue;
    switch (attribute.type->kind) {
      case StoredType::Kind::number:
        return std::nullopt;
      case StoredType::Kind::fixed_text:
        return trimmed(attribute.value, *attribute.type);
      case StoredType::Kind::variable_text:
        return Hdf5Heap(file_).text(attribute.value);
    }
  }
  return std::nullopt;
}

}  // namespace

std::unique_ptr<Hdf5Container> open_classic(const FileBytes& bytes) {
  const Superblock superblock = read_superblock(bytes);
  if (superblock.version > 1) return nullptr;
  const AddressedFile file{bytes, superblock.base};
  if (is_newer_object(file, superblock.root)) return nullptr;
  auto container = std::make_unique<ClassicContainer>(file, superblock.root);
  if (container->has_newer_objects()) return nullptr;
  return container;
}

}  // namespace obliq::datasets

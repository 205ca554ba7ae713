// A group is a B-tree whose leaves are symbol nodes, which point to names in a local heap. Depth
// and number of nodes are bounded, since damaged trees may run in circles.
#include "datasets/hdf5_object.h"

#include <algorithm>

namespace obliq::datasets {
namespace {

constexpr std::string_view kSignature = "\x89HDF\r\n\x1a\n";
constexpr std::uint64_t kAddressBytes = 8;
constexpr std::size_t kMostMessages = 4096;
constexpr std::size_t kMostLinks = 65536;

std::uint64_t find_signature(const FileBytes& file) {
  for (std::uint64_t offset = 0; offset + kSignature.size() <= file.bytes.size();
       offset = offset == 0 ? 512 : 2 * offset) {
    if (std::memcmp(file.bytes.data() + offset, kSignature.data(), kSignature.size()) == 0) {
      return offset;
    }
  }
  fail_at(file.name, 0, "not an HDF5 file");
}

class GroupReader {
 public:
  GroupReader(const AddressedFile& file, std::uint64_t heap) : file_(file) {
    Cursor header = file.at(heap, 32, "a local heap");
    header.expect("HEAP");
    header.skip(4);
    names_bytes_ = header.u64();
    header.skip(8);
    names_ = header.u64();
  }

  /// Adds the links below a node; `level` must fall from node to node.
  void add_tree(std::uint64_t address, unsigned above) {
    Cursor node = file_.at(address, 24, "a group's tree");
    node.expect("TREE");
    if (node.u8() != 0) node.fail("a tree of chunks in place of a group");
    const unsigned level = node.u8();
    const std::size_t entries = node.u16();
    if (level >= above) node.fail("a tree whose levels do not fall");
    if (++seen_ > kMostLinks) node.fail("a group of too many links");
    Cursor children = file_.at(address + 24, entries * 16 + 8, "a group's tree");
    for (std::size_t i = 0; i < entries; ++i) {
      children.skip(8);
      const std::uint64_t child = children.u64();
      if (level == 0) {
        add_symbols(child);
      } else {
        add_tree(child, level);
      }
    }
  }

  std::map<std::string, std::uint64_t> links() { return std::move(links_); }

 private:
  void add_symbols(std::uint64_t address) {
    Cursor node = file_.at(address, 8, "a symbol node");
    node.expect("SNOD\1");
    node.skip(1);
    const std::size_t count = node.u16();
    Cursor symbols = file_.at(address + 8, count * 40, "a symbol node");
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint64_t offset = symbols.u64();
      const std::uint64_t header = symbols.u64();
      symbols.skip(24);
      if (++seen_ > kMostLinks) symbols.fail("a group of too many links");
      links_[name(offset)] = header;
    }
  }

  std::string name(std::uint64_t offset) const {
    Cursor names = file_.at(names_, names_bytes_, "names of a group");
    names.skip(offset);
    const std::uint64_t length = names.left();
    const auto* text = reinterpret_cast<const char*>(names.take(length));
    return {text, ::strnlen(text, length)};
  }

  const AddressedFile& file_;
  std::uint64_t names_ = 0;
  std::uint64_t names_bytes_ = 0;
  std::size_t seen_ = 0;
  std::map<std::string, std::uint64_t> links_;
};

// Messages of one block; continuations go to `blocks`.
void read_block(const AddressedFile& file, Cursor block, std::vector<ObjectMessage>& messages,
                std::vector<Cursor>& blocks) {
  while (block.left() >= 8) {
    const auto type = static_cast<Message>(block.u16());
    const std::uint64_t size = block.u16();
    const bool shared = (block.u8() & 2U) != 0;
    block.skip(3);
    Cursor data = block.part(size);
    if (messages.size() >= kMostMessages) block.fail("an object of too many messages");
    messages.push_back({type, shared, data.at(), size});
    if (type == Message::continuation) {
      const std::uint64_t address = data.u64();
      blocks.push_back(file.at(address, data.u64(), "more of an object header"));
    }
  }
}

}  // namespace

Cursor AddressedFile::at(std::uint64_t address, std::uint64_t length, std::string_view what) const {
  if (address > bytes.bytes.size()) {
    fail_at(bytes.name, address, fmt::format("{} is beyond the end of the file", what));
  }
  return {bytes, base + address, length, what};
}

Cursor AddressedFile::message(const ObjectMessage& message, std::string_view what) const {
  if (message.shared) fail_at(bytes.name, message.offset, fmt::format("{} is shared", what));
  return {bytes, message.offset, message.size, what};
}

Superblock read_superblock(const FileBytes& file) {
  const std::uint64_t start = find_signature(file);
  Cursor block(file, start, file.bytes.size() - start, "the superblock");
  block.expect(kSignature);
  Superblock superblock;
  superblock.version = block.u8();
  if (superblock.version > 1) return superblock;
  block.skip(4);
  if (block.u8() != kAddressBytes || block.u8() != kAddressBytes) {
    block.fail("addresses and sizes are not of 8 bytes");
  }
  block.skip(superblock.version == 0 ? 9 : 13);
  superblock.base = block.u64();
  if (superblock.base > start) block.fail("the base address lies behind the superblock");
  block.skip(8);
  const std::uint64_t end = block.u64();
  if (end > file.bytes.size()) {
    block.fail(fmt::format("the file has {} bytes, but should have {}", file.bytes.size(), end));
  }
  block.skip(16);
  superblock.root = block.u64();
  return superblock;
}

bool is_newer_object(const AddressedFile& file, std::uint64_t address) {
  return std::memcmp(file.at(address, 4, "an object header").take(4), "OHDR", 4) == 0;
}

std::vector<ObjectMessage> read_object(const AddressedFile& file, std::uint64_t address) {
  Cursor header = file.at(address, 16, "an object header");
  if (header.u8() != 1) header.fail("not an object header of version 1");
  header.skip(7);
  std::vector<ObjectMessage> messages;
  std::vector<Cursor> blocks{file.at(address + 16, header.u32(), "an object header")};
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (i > kMostMessages) header.fail("an object header of too many parts");
    read_block(file, Cursor(blocks[i]), messages, blocks);
  }
  return messages;
}

const ObjectMessage* find_message(const std::vector<ObjectMessage>& messages, Message type) {
  const auto found = std::find_if(messages.begin(), messages.end(),
                                  [=](const ObjectMessage& m) { return m.type == type; });
  return found == messages.end() ? nullptr : &*found;
}

std::map<std::string, std::uint64_t> read_group(const AddressedFile& file,
                                                const std::vector<ObjectMessage>& group) {
  const ObjectMessage* message = find_message(group, Message::symbol_table);
  if (message == nullptr) return {};
  Cursor table = file.message(*message, "a symbol table message");
  const std::uint64_t tree = table.u64();
  GroupReader reader(file, table.u64());
  if (tree != kNoAddress) reader.add_tree(tree, 256);
  return reader.links();
}

}  // namespace obliq::datasets

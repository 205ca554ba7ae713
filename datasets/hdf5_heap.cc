// Collections are parsed once and kept, some at a time: strings come in the order of the heap,
// nearly.
#include "datasets/hdf5_heap.h"

#include <algorithm>

namespace obliq::datasets {
namespace {

constexpr std::uint64_t kHeaderBytes = 16;  // of a collection, and of an object in it
constexpr std::size_t kCachedCollections = 64;

}  // namespace

Hdf5Heap::Collection Hdf5Heap::parse(std::uint64_t address) const {
  Cursor header = file_.at(address, kHeaderBytes, "a heap of strings");
  header.expect("GCOL\1");
  header.skip(3);
  Cursor heap = file_.at(address, header.u64(), "a heap of strings");
  heap.skip(kHeaderBytes);
  Collection objects;
  while (heap.left() >= kHeaderBytes) {
    const std::uint32_t index = heap.u16();
    heap.skip(6);
    const std::uint64_t size = heap.u64();
    if (index == 0) break;
    objects[index] = {heap.take(size), size};
    heap.skip(std::min<std::uint64_t>(heap.left(), (8 - size % 8) % 8));
  }
  return objects;
}

const Hdf5Heap::Collection& Hdf5Heap::collection(std::uint64_t address) {
  const auto known = collections_.find(address);
  if (known != collections_.end()) return known->second;
  if (collections_.size() == kCachedCollections) collections_.clear();
  return collections_[address] = parse(address);
}

std::string Hdf5Heap::text(const std::uint8_t* reference) {
  std::uint32_t length = 0;
  std::uint64_t address = 0;
  std::uint32_t index = 0;
  std::memcpy(&length, reference, sizeof length);
  std::memcpy(&address, reference + 4, sizeof address);
  std::memcpy(&index, reference + 12, sizeof index);
  if (length == 0) return {};
  const Collection& objects = collection(address);
  const auto found = objects.find(index);
  if (found == objects.end() || length > found->second.size) {
    file_.at(address, 0, "a heap of strings")
        .fail(fmt::format("the heap has no object {} of {} bytes", index, length));
  }
  const auto* text = reinterpret_cast<const char*>(found->second.bytes);
  return {text, ::strnlen(text, length)};
}

}  // namespace obliq::datasets

// The trick: a conversion from variable-length values to opaque ones that does nothing, registered
// with the library once.
#include "datasets/hdf5_strings.h"

#include <fmt/format.h>

#include <cstring>
#include <stdexcept>

#include "datasets/file_error.h"

namespace obliq::datasets {
namespace {

constexpr std::size_t kHeaderBytes = 16;        // of a collection, and of an object in it
constexpr std::size_t kCachedCollections = 64;  // strings come in the order of the heap, nearly

herr_t keep_reference(hid_t from, hid_t to, H5T_cdata_t* data, std::size_t, std::size_t,
                      std::size_t, void*, void*, hid_t) {
  if (data->command == H5T_CONV_INIT) {
    data->need_bkg = H5T_BKG_NO;
    const bool same = H5Tget_size(from) == H5Tget_size(to);
    return same && H5Tget_size(to) == kHeapReferenceBytes ? 0 : -1;
  }
  return 0;
}

// Whether HDF5 now knows the conversion. Types only tell it the two classes.
bool conversion_registered() {
  static const bool registered = [] {
    const Hdf5Handle text(H5Tcopy(H5T_C_S1), H5Tclose);
    H5Tset_size(text.id(), H5T_VARIABLE);
    const Hdf5Handle opaque(H5Tcreate(H5T_OPAQUE, kHeapReferenceBytes), H5Tclose);
    return H5Tregister(H5T_PERS_SOFT, "obliq_reference", text.id(), opaque.id(), keep_reference) >=
           0;
  }();
  return registered;
}

}  // namespace

Hdf5Handle heap_reference_type() {
  if (!conversion_registered()) throw std::runtime_error("HDF5 takes no conversion functions");
  return {H5Tcreate(H5T_OPAQUE, kHeapReferenceBytes), H5Tclose};
}

Hdf5Heap::Hdf5Heap(FileBytes bytes, const Hdf5Handle& file) : bytes_(std::move(bytes)) {
  const Hdf5Handle creation(H5Fget_create_plist(file.id()), H5Pclose);
  std::size_t address_bytes = 0;
  std::size_t size_bytes = 0;
  hsize_t base = 0;
  if (H5Pget_sizes(creation.id(), &address_bytes, &size_bytes) < 0 || address_bytes != 8 ||
      size_bytes != 8 || H5Pget_userblock(creation.id(), &base) < 0) {
    fail_at(bytes_.name, 0, "an HDF5 file whose addresses are not of 8 bytes");
  }
  base_ = base;
}

std::uint64_t Hdf5Heap::read_u64(std::size_t offset) const {
  std::uint64_t value = 0;
  std::memcpy(&value, bytes_.bytes.data() + offset, sizeof value);
  return value;
}

Hdf5Heap::Collection Hdf5Heap::parse(std::size_t start) const {
  const std::size_t present = bytes_.bytes.size();
  if (start > present || present - start < kHeaderBytes ||
      std::memcmp(bytes_.bytes.data() + start, "GCOL\1", 5) != 0) {
    fail_at(bytes_.name, start, "no heap of strings is here");
  }
  const std::uint64_t size = read_u64(start + 8);
  if (size > present - start) {
    fail_at(bytes_.name, start, fmt::format("a heap of {} bytes is beyond the file", size));
  }
  Collection objects;
  const std::size_t end = start + size;
  for (std::size_t at = start + kHeaderBytes; at < end && end - at >= kHeaderBytes;) {
    const std::uint32_t index = bytes_.bytes[at] | std::uint32_t{bytes_.bytes[at + 1]} << 8;
    const std::uint64_t object = read_u64(at + 8);
    if (index == 0) break;
    at += kHeaderBytes;
    if (object > end - at) fail_at(bytes_.name, at, "an object is larger than its heap");
    objects[index] = {at, object};
    at += (object + 7) / 8 * 8;
  }
  return objects;
}

const Hdf5Heap::Collection& Hdf5Heap::collection(std::uint64_t address) {
  const auto known = collections_.find(address);
  if (known != collections_.end()) return known->second;
  if (collections_.size() == kCachedCollections) collections_.clear();
  return collections_[address] = parse(address + base_);
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
    fail_at(bytes_.name, address + base_,
            fmt::format("the heap has no object {} of {} bytes", index, length));
  }
  const auto* text = reinterpret_cast<const char*>(bytes_.bytes.data() + found->second.offset);
  return {text, ::strnlen(text, length)};
}

}  // namespace obliq::datasets

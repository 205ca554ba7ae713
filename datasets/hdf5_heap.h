// Strings of variable length in HDF5 files.
//
// A value is a reference of 16 bytes: uint32 length, uint64 address of a collection in the global
// heap, uint32 index in it. HDF5 before 1.14 follows the index unchecked; here references are
// followed inside the bounds of the file. A collection (HDF5 file format 3.0, III.E):
//
//     "GCOL" 1 0 0 0, uint64 bytes of it all
//     objects: uint16 index, 6 bytes, uint64 size, the bytes padded to 8; index 0 ends them
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "datasets/hdf5_object.h"

namespace obliq::datasets {

inline constexpr std::size_t kHeapReferenceBytes = 16;

/// Follows references into a file, which must live longer.
class Hdf5Heap {
 public:
  explicit Hdf5Heap(const AddressedFile& file) : file_(file) {}

  /// The string of a reference. Throws std::runtime_error "path: at offset n: reason".
  std::string text(const std::uint8_t* reference);

 private:
  struct Object {
    const std::uint8_t* bytes;
    std::uint64_t size;
  };
  using Collection = std::map<std::uint32_t, Object>;

  const Collection& collection(std::uint64_t address);
  Collection parse(std::uint64_t address) const;

  const AddressedFile& file_;
  std::map<std::uint64_t, Collection> collections_;
};

}  // namespace obliq::datasets

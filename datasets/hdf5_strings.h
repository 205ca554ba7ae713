// Strings of variable length in HDF5 files, read without the library's help.
//
// A value is a reference of 16 bytes: uint32 length, uint64 address of a collection in the global
// heap, uint32 index in it. HDF5 before 1.14 follows such references unchecked, so that a damaged
// file ends the process. Here the library hands out the references as they are, and they are
// followed inside the bounds of the file. A collection (HDF5 file format 3.0, III.E):
//
//     "GCOL" 1 0 0 0, uint64 bytes of it all
//     objects: uint16 index, 6 bytes, uint64 size, the bytes padded to 8; index 0 ends them
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "datasets/hdf5_handle.h"
#include "datasets/mapped_file.h"

namespace obliq::datasets {

inline constexpr std::size_t kHeapReferenceBytes = 16;

/// A memory type into which HDF5 reads references instead of strings.
Hdf5Handle heap_reference_type();

/// Follows references into a file.
class Hdf5Heap {
 public:
  /// `file` is the HDF5 file that lies in `bytes`.
  Hdf5Heap(FileBytes bytes, const Hdf5Handle& file);

  /// The string of a reference. Throws std::runtime_error "path: at offset n: reason".
  std::string text(const std::uint8_t* reference);

 private:
  struct Object {
    std::size_t offset;
    std::size_t size;
  };
  using Collection = std::map<std::uint32_t, Object>;

  const Collection& collection(std::uint64_t address);
  Collection parse(std::size_t start) const;
  std::uint64_t read_u64(std::size_t offset) const;

  FileBytes bytes_;
  std::uint64_t base_ = 0;  ///< where address 0 lies in the file
  std::map<std::uint64_t, Collection> collections_;
};

}  // namespace obliq::datasets

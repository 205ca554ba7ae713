// Objects of classic HDF5 files (superblock 0 or 1, object headers of version 1): what h5py writes
// unless asked otherwise. These carry no checksums, and HDF5 before 1.14 trusts much of what they
// say; so they are read here. Format: "HDF5 File Format Specification Version 3.0", II to IV.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "datasets/hdf5_cursor.h"
#include "datasets/mapped_file.h"

namespace obliq::datasets {

inline constexpr std::uint64_t kNoAddress = UINT64_MAX;

/// Types of messages that we know.
enum class Message : std::uint16_t {
  dataspace = 0x01,
  datatype = 0x03,
  layout = 0x08,
  filters = 0x0B,
  attribute = 0x0C,
  continuation = 0x10,
  symbol_table = 0x11,
};

/// A message of an object header: where its bytes lie.
struct ObjectMessage {
  Message type;
  bool shared;  ///< the bytes only say where the message is
  std::uint64_t offset;
  std::uint64_t size;
};

/// The bytes of a file and the place of its address 0.
struct AddressedFile {
  FileBytes bytes;
  std::uint64_t base = 0;

  /// `length` bytes at an address; `what` names them in errors.
  Cursor at(std::uint64_t address, std::uint64_t length, std::string_view what) const;
  Cursor message(const ObjectMessage& message, std::string_view what) const;
};

/// What the superblock says.
struct Superblock {
  unsigned version = 0;
  std::uint64_t base = 0;
  std::uint64_t root = 0;  ///< address of the root group's header, where the version is 0 or 1
};

/// Finds and reads the superblock. Throws std::runtime_error when there is none or when the file is
/// shorter than it says.
Superblock read_superblock(const FileBytes& file);

/// Whether an object header of the newer kind is at `address`.
bool is_newer_object(const AddressedFile& file, std::uint64_t address);

/// The messages of the header at `address`, those behind continuations too.
std::vector<ObjectMessage> read_object(const AddressedFile& file, std::uint64_t address);

/// The message of a type, nullptr when there is none.
const ObjectMessage* find_message(const std::vector<ObjectMessage>& messages, Message type);

/// Names and header addresses in a group; empty when the object is none.
std::map<std::string, std::uint64_t> read_group(const AddressedFile& file,
                                                const std::vector<ObjectMessage>& group);

}  // namespace obliq::datasets

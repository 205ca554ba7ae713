// The keys of a segment's vectors, where the ids of a collection are strings. Inside, a vector has
// a number for its id, and never another one; a table has the keys by *rank*, the place of that
// number among the rising ones of the segment (Segment::sorted_rows). Immutable; in memory, or a
// file `keys-<n>` that is mapped (section_file.h), of which nothing is held in memory:
//
//     offsets   uint64 [n + 1]: where the key of a rank lies in `bytes`
//     places    uint64 [n], rising: hash of a key << 32 | its rank
//     bytes     the keys, one behind the other
//     keys      KeyInfo
//
// Hashes are spread evenly, so a look-up guesses where in `places` one is, and is off by about the
// square root of n: some cache lines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "storage/section_sink.h"

namespace obliq {

/// Stands for none where a rank is named.
inline constexpr std::uint32_t kNoRank = 0xFFFFFFFF;

/// The fixed numbers of a table, as stored.
struct KeyInfo {
  std::uint64_t n = 0;
  std::uint64_t bytes = 0;  ///< of all keys
  std::uint64_t seed = 0;   ///< of the hashes: the random number of the collection
  std::uint64_t zero = 0;
};
static_assert(sizeof(KeyInfo) == 32);

/// Calls `take` with the keys of all ranks, from 0 on. It is called more than once.
using KeySource = std::function<void(const std::function<void(std::string_view)>& take)>;

/// Writes the sections of a table. Requires n < 2^32 - 1 keys. Cost: 8 bytes of memory per key, and
/// a sort.
void write_keys(SectionSink& sink, std::uint64_t n, std::uint64_t seed, const KeySource& keys);

class KeyTable {
 public:
  /// In memory.
  static std::shared_ptr<const KeyTable> make(std::uint64_t n, std::uint64_t seed,
                                              const KeySource& keys);
  /// A file's, of `n` keys. Throws std::runtime_error naming file and section where it is damaged
  /// or of another collection, std::system_error where it cannot be read. Cost: constant.
  static std::shared_ptr<const KeyTable> open(const std::string& path, std::uint64_t n,
                                              std::uint64_t seed);
  /// Reads every byte of a file and checks it, and that each key is found. Throws as open.
  static void verify(const std::string& path, std::uint64_t n, std::uint64_t seed,
                     const std::function<bool(double)>& progress = {});

  std::size_t n() const { return places_.size(); }
  std::uint64_t seed() const { return seed_; }
  /// Bytes of all of it.
  std::size_t bytes() const { return offsets_.size_bytes() + places_.size_bytes() + bytes_.size(); }
  std::size_t file_bytes() const { return file_bytes_; }  ///< 0: in memory

  /// The key of a rank below n; valid as long as the table. Throws std::runtime_error where a
  /// damaged file has it out of place.
  std::string_view key(std::uint32_t rank) const;
  /// The rank of a key of this hash; kNoRank: it is not there. Throws as key.
  std::uint32_t find(std::string_view key, std::uint32_t hash) const;

 private:
  KeyTable() = default;
  std::size_t first_place(std::uint32_t hash) const;
  void check_all() const;

  std::span<const std::uint64_t> offsets_;
  std::span<const std::uint64_t> places_;
  std::span<const std::byte> bytes_;
  std::uint64_t seed_ = 0;
  std::size_t file_bytes_ = 0;
  std::string path_;                   // empty: in memory
  std::shared_ptr<const void> owner_;  // keeps the bytes of the spans
};

}  // namespace obliq

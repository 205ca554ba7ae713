// What is stored of a list: in the model what is learnt of it, in a segment where its entries lie
// and the units of their factors.
#pragma once

#include <bit>
#include <cstdint>

#include "obliq/index.h"

namespace obliq {

/// 2^exponent, for -126 <= exponent <= 127.
inline float power_of_two(int exponent) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(exponent + 127) << 23);
}

/// The range of the exponents of units.
inline constexpr int kLeastExponent = -126;
inline constexpr int kMostExponent = 127;

/// What is learnt of a list, or of a group of lists, as stored (16 bytes, little-endian).
struct ListPoint {
  float mean_r2 = 0;         ///< mean |r|^2 of the vectors whose nearest centroid this is
  float centroid_scale = 0;  ///< of the centroid's code
  float centroid_norm2 = 0;  ///< |c|^2
  std::uint32_t zero = 0;
};
static_assert(sizeof(ListPoint) == 16);

/// A group of lists, as stored (24 bytes).
struct GroupRecord {
  std::uint32_t first = 0;  ///< list
  std::uint32_t count = 0;  ///< lists
  ListPoint point = {};
};
static_assert(sizeof(GroupRecord) == 24);

/// The entries of one list, as stored (32 bytes). Those of vectors whose primary list this is come
/// first, in the order of their ids, then those of spilled vectors, in that of theirs.
struct ListRecord {
  std::uint64_t first = 0;          ///< first entry in the stream of blocks
  std::uint32_t count = 0;          ///< entries that a search scans
  std::uint32_t primaries = 0;      ///< rows; beyond `count`, those of foreign rows (segment.h)
  std::uint32_t first_row = 0;      ///< its row i belongs to entry i
  std::uint32_t first_spilled = 0;  ///< its spilled entry i is this + i - primaries of all
  std::int16_t scale_exponent = kLeastExponent;
  std::int16_t add_exponent = kLeastExponent;
  float longest2 = 0;  ///< largest |r|^2 of the primary entries

  /// The unit of f_rescale and of the row factors.
  float scale() const { return power_of_two(scale_exponent); }
  /// The unit of f_add of entries and rows.
  float add_scale() const { return power_of_two(add_exponent); }
  /// Whether its rows are foreign ones: no entry of theirs is scanned.
  bool is_foreign() const { return count < primaries; }
  /// Entries in the blocks.
  std::uint32_t stored() const { return count > primaries ? count : primaries; }
  std::uint32_t spilled() const { return count > primaries ? count - primaries : 0; }
};
static_assert(sizeof(ListRecord) == 32);

}  // namespace obliq

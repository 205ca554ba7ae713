// What is stored of a list, of a group of lists, and of the centroids as one list (the router's).
#pragma once

#include <cstdint>

namespace obliq {

/// Stands for none where a list is named.
inline constexpr std::uint32_t kNoList = 0xFFFFFFFFU;

/// One list, as stored (32 bytes, little-endian).
struct ListRecord {
  std::uint64_t first = 0;   ///< first entry in the stream of blocks
  std::uint32_t count = 0;   ///< entries, spilled ones behind the primary ones
  float scale = 1;           ///< unit of f_rescale and of the row factors, a power of two
  float add_scale = 1;       ///< unit of f_add of entries and rows, a power of two
  float mean_r2 = 0;         ///< mean |r|^2 of the primary entries
  float centroid_scale = 0;  ///< of the centroid's code
  float centroid_norm2 = 0;  ///< |c|^2
};
static_assert(sizeof(ListRecord) == 32);

}  // namespace obliq

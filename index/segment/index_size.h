// The bytes of an index before it is built, by formula. All but one number follow from what it is
// to be: how many entries are left empty where lists meet (list_layout.h) depends on the sizes of
// the lists. Unless they are given, they are drawn at random around the mean, which leaves about a
// quarter of an entry per list empty; lists smaller than a block leave more. The state of
// quantizers that learn (a few kB, those that learn a basis: 4 dim^2) is not counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "obliq/index.h"

namespace obliq {

/// All that bytes depend on.
struct IndexShape {
  std::size_t n = 0;
  std::size_t dim = 0;
  std::size_t nlist = 0;
  std::string quantizer = "sq8";
  RawTier raw = RawTier::none;
  double spill = 0;
  bool has_ids = false;
  std::size_t far_lists = 0;    ///< the data decides on that (centroid_code.h)
  std::size_t list_groups = 0;  ///< as in BuildOptions
};

/// Bytes of one of each kind.
struct ItemBytes {
  double entry = 0;  ///< a 32nd of a block
  std::size_t row = 0;
  std::size_t gathered =
      0;  ///< of the block of its primary entry, where that keeps the signs of a row
  std::size_t raw = 0;
  std::size_t spilled = 0;   ///< row and primary list of a spilled entry
  std::size_t list = 0;      ///< its record
  std::size_t point = 0;     ///< what the model knows of a list
  std::size_t centroid = 0;  ///< its levels; its signs are an entry
  std::size_t group = 0;     ///< of lists: levels and record
};

/// Throws std::invalid_argument on an unknown quantizer.
ItemBytes item_bytes(const IndexShape& shape);

struct IndexSize {
  double bytes_per_vector = 0;  ///< blocks, rows, raw tier, lists, as in IndexStats
  std::size_t centroid_bytes = 0;
  std::size_t file_bytes = 0;
};

/// Requires 0 < nlist <= n. Throws as item_bytes does. Cost: nlist.
IndexSize index_size(const IndexShape& shape);
/// With nlist lists of the given numbers of entries, those of spilled vectors among them.
IndexSize index_size(const IndexShape& shape, std::span<const std::uint32_t> list_sizes);

}  // namespace obliq

// What an index holds: plain data, in memory or mapped from a file, never both ways of reading it.
//
//     blocks   entries of all lists in one stream, 32 to a block (quant/kernels/kernels.h)
//     rows     one a vector, in the order of the base:
//                  [code without its sign plane][factors, fp16][bracket, fp16][home]
//     lists    where each list lies, and the units of its factors
//     centroids  int8 codes of the points that the lists' residuals start from (centroid_code.h)
//     router   the centroids once more, as one list of entries
//     groups   lists that lie near each other, where there are many (list_groups.h)
//     raw      exact vectors in the space of the base (cosine: normalised), optional
//     ids      external ids, optional
//
// A vector has an entry in the list of its nearest centroid, its home, and when it is spilled
// (spill.h) a second one in another list. Both name the one row, which is relative to the home.
//
// With r = x - c the residual, s its signs, y its decoded code and x^ = S y (DESIGN: estimators),
// a list stores in units of its own: entry a = bracket of s / a_scale, entry b = |r|^2/<r,s> /
// scale, row factors / scale and row bracket / a_scale, where
//
//     l2, cosine   |q-x|^2 ~ |q-c|^2 + bracket - 2 <x^,q>    bracket = |r|^2 + 2 <x^,c>
//     ip           -<q,x>  ~ -<q,c>  + bracket -   <x^,q>    bracket = -<r,c> +   <x^,c>
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "index/door.h"
#include "obliq/index.h"
#include "obliq/quantizer.h"
#include "obliq/tuning.h"

namespace obliq {

/// One list, as stored (32 bytes, little-endian).
struct ListRecord {
  std::uint64_t first = 0;   ///< first entry in the stream
  std::uint32_t count = 0;   ///< entries, spilled ones behind the others
  float scale = 1;           ///< unit of b and of the row factors, a power of two
  float a_scale = 1;         ///< unit of the brackets, a power of two
  float mean_r2 = 0;         ///< mean |r|^2 of the vectors at home
  float centroid_scale = 0;  ///< of the centroid's code
  float centroid_norm2 = 0;  ///< |c|^2
};
static_assert(sizeof(ListRecord) == 32);

/// The fixed numbers of an index, as stored (128 bytes, little-endian).
struct SegmentInfo {
  std::uint64_t n = 0;
  std::uint64_t dim = 0;
  std::uint64_t nlist = 0;
  std::uint64_t entries = 0;  ///< length of the block stream
  std::uint64_t seed = 0;
  std::uint32_t metric = 0;
  std::uint32_t raw = 0;
  float sine = 0;          ///< root mean square sine of the angle between r and s
  float row_tangent = 0;   ///< root mean square tangent of the angle between r and y
  float typical_norm = 1;  ///< root mean square |x|, for ip
  float list_weight = 0;   ///< w of the list order, see router.h
  ListRecord router = {};
  char quantizer[32] = {};
};
static_assert(sizeof(SegmentInfo) == 128);

/// How a row is made up: [rest of the code][factors, fp16][bracket, fp16][home]. The home is there
/// where vectors are spilled: [list, 2 bytes up to 65536 lists, else 4], and where the code leads
/// with signs, which the block of the home keeps, [entry there, 4 bytes].
struct RowShape {
  std::size_t rest = 0;  ///< bytes of the code without a leading sign plane
  std::size_t factors = 0;
  std::size_t home_list = 0;   ///< bytes of the home's list
  std::size_t home_entry = 0;  ///< bytes of the home's entry
  bool leads_with_signs = false;

  RowShape() = default;
  explicit RowShape(const Quantizer& quantizer);
  void add_home(std::size_t nlist);
  std::size_t home() const { return home_list + home_entry; }
  std::size_t bytes() const { return rest + 2 * (factors + 1) + home(); }
};

struct Segment {
  SegmentInfo info;
  std::unique_ptr<const Quantizer> quantizer;
  std::unique_ptr<const Door> door;
  RowShape row_shape;

  std::span<const std::uint8_t> quantizer_state;  ///< of a trained quantizer
  std::span<const float> mean;                    ///< [dim], rotated
  std::span<const std::int8_t> centroid_levels;   ///< [nlist][dim]
  std::span<const std::int8_t> centroid_fine;     ///< the same, or empty
  std::span<const ListRecord> lists;
  std::span<const ListRecord> groups;          ///< of lists, or empty
  std::span<const std::uint8_t> group_panels;  ///< levels of their points (byte_panels.h)
  std::span<const std::uint8_t> blocks;
  std::span<const std::uint8_t> rows;
  std::span<const std::uint8_t> router_blocks;
  std::span<const std::uint8_t> raw;
  std::span<const std::int64_t> ids;
  std::uint64_t spilled = 0;          ///< entries beyond one a vector; rows have homes unless 0
  Tuning tuning;                      ///< ways to target recalls, when tuned
  std::shared_ptr<const void> owner;  ///< keeps the bytes of the spans
  std::size_t file_bytes = 0;
  std::uint32_t format_version = 0;

  Metric metric() const { return static_cast<Metric>(info.metric); }
  RawTier raw_tier() const { return static_cast<RawTier>(info.raw); }
  std::size_t dim() const { return info.dim; }
  const std::int8_t* centroid(std::size_t list) const {
    return centroid_levels.data() + list * info.dim;
  }
};

/// Bytes of one raw vector; 0 without a raw tier.
std::size_t raw_bytes(RawTier raw, std::size_t dim);
/// 2 for l2 and cosine, 1 for ip: how often <x^,q> counts in the distance.
float product_weight(Metric metric);

/// Makes the parts of a segment that are computed from its info, spilled and spans: door,
/// quantizers and the shapes of rows.
void complete(Segment& segment);

}  // namespace obliq

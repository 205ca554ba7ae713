// What an index holds: plain data, in memory or mapped from a file, never both ways of reading it.
//
//     blocks   entries of all lists in one stream, 32 to a block (segment/entry_format.h)
//     rows     one per vector, in the order of the base (segment/entry_format.h)
//     lists    where each list lies, and the units of its factors
//     centroids  codes of the points that the lists' residuals start from, and those of far lists
//                exactly (centroid_code.h)
//     router   the centroids once more, as one list of entries
//     groups   lists that lie near each other, where there are many (list_groups.h)
//     raw      exact vectors (raw_form.h), optional
//     ids      external ids, optional
//
// A vector has its primary entry in the list of its nearest centroid and, when it is spilled
// (build/spill.h), a second one in another list. Both name the one row, which is relative to the
// primary list's centroid.
//
// With r = x - c the residual, s its signs, y its decoded code and x^ = S y the estimate of r from
// it, a list stores, in units of its own (list_record.h): of an entry f_add for s and f_rescale =
// |r|^2 / <r,s>; of a row the quantizer's factors and f_add for x^, where
//
//     l2, cosine   |q-x|^2 ~ |q-c|^2 + f_add - 2 <x^,q>    f_add = |r|^2 + 2 <x^,c>
//     ip           -<q,x>  ~ -<q,c>  + f_add -   <x^,q>    f_add = -<r,c> +  <x^,c>
//
// In far lists (centroid_code.h) <x^,q-c> takes the place of <x^,q>, and <x^,c> is left out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "index/segment/entry_format.h"
#include "index/segment/list_record.h"
#include "index/segment/raw_form.h"
#include "index/segment/vector_transform.h"
#include "obliq/index.h"
#include "obliq/quantizer.h"
#include "obliq/tuning.h"

namespace obliq {

/// The fixed numbers of an index, as stored (128 bytes, little-endian).
struct SegmentInfo {
  std::uint64_t n = 0;
  std::uint64_t dim = 0;
  std::uint64_t nlist = 0;
  std::uint64_t entries = 0;  ///< length of the block stream
  std::uint64_t seed = 0;
  std::uint32_t metric = 0;
  std::uint16_t raw = 0;              ///< RawForm
  std::uint16_t names_primaries = 0;  ///< 1: rows name their primary entries
  float sine = 0;                     ///< root mean square sine of the angle between r and s
  float row_tangent = 0;              ///< root mean square tangent of the angle between r and y
  float typical_norm = 1;             ///< root mean square |x|, for ip
  float list_weight = 0;              ///< w of the list order, see list_key.h
  ListRecord router = {};
  char quantizer[28] = {};
  float scale = 1;  ///< of the vector transform, a power of two
};
static_assert(sizeof(SegmentInfo) == 128);

/// A copy shares everything that is large: bytes, quantizer and transform.
struct Segment {
  SegmentInfo info;
  std::shared_ptr<const Quantizer> quantizer;
  std::shared_ptr<const VectorTransform> transform;
  RowShape row_shape;
  std::vector<std::uint32_t> far_numbers;  ///< [nlist] place in far_lists or kNoList; or empty

  std::span<const std::uint8_t> quantizer_state;  ///< of a trained quantizer
  std::span<const float> mean;                    ///< [dim], rotated
  std::span<const std::int8_t> centroid_levels;   ///< [nlist][dim]
  std::span<const std::uint32_t> far_lists;       ///< rising (centroid_code.h), or empty
  std::span<const float> far_points;              ///< [far_lists][dim]
  std::span<const ListRecord> lists;
  std::span<const ListRecord> groups;          ///< of lists, or empty
  std::span<const std::uint8_t> group_panels;  ///< levels of their points (byte_panels.h)
  std::span<const std::uint8_t> blocks;
  std::span<const std::uint8_t> rows;
  std::span<const std::uint8_t> router_blocks;
  std::span<const std::uint8_t> raw;
  std::span<const std::int64_t> ids;
  std::uint64_t spilled =
      0;  ///< entries beyond one per vector; rows name their primary entries unless 0
  std::size_t filled = 0;             ///< lists that have entries: no other is ever searched
  Tuning tuning;                      ///< ways to target recalls, when tuned
  std::shared_ptr<const void> owner;  ///< keeps the bytes of the spans
  std::size_t file_bytes = 0;
  std::uint32_t format_version = 0;

  Metric metric() const { return static_cast<Metric>(info.metric); }
  RawForm raw_form() const { return static_cast<RawForm>(info.raw); }
  /// Whether the raw vectors of a list are kept behind the transform.
  bool is_raw_behind(std::size_t list) const {
    return is_behind(raw_form(), far_point(list) != nullptr);
  }
  RawTier raw_tier() const { return tier_of(raw_form()); }
  std::size_t dim() const { return info.dim; }
  const std::int8_t* centroid(std::size_t list) const {
    return centroid_levels.data() + list * info.dim;
  }
  /// The centroid of a far list, dim floats; null for a near list.
  const float* far_point(std::size_t list) const {
    if (far_numbers.empty() || far_numbers[list] == kNoList) return nullptr;
    return far_points.data() + far_numbers[list] * info.dim;
  }
};

/// Counts the lists that have entries and numbers those that are far: a part of complete().
void count_lists(Segment& segment);

/// Makes the parts of a segment that are computed from its info, spilled and spans: transform,
/// quantizers, the shapes of rows, and what is counted of lists.
void complete(Segment& segment);

}  // namespace obliq

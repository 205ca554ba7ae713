// A model: all that is learnt, from a sample alone, and nothing that is stored of vectors. Plain
// data, in memory or mapped from a file.
//
//     mean       of the vector transform
//     quantizer  the state of one that learns
//     centroids  codes of the points that the lists' residuals start from, and those of far lists
//                exactly (centroid_code.h); lists are numbered so that near lists have near numbers
//     lists      what is learnt of each: mean |r|^2, and the numbers of its centroid's code
//     router     the centroids once more, as one list of entries
//     groups     lists that lie near each other, where there are many (list_groups.h)
//     near       the numbers of lists in the groups that an encoder looks at
//     encoder    what an encoder that learns has learnt; not kept in one-file indexes
//     learn      queries that an index of this model is tuned with; not kept in one-file indexes
//
// Every statistic that a search uses is here: how a base is cut, what is deleted and which
// snapshot is searched change neither routing nor bounds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "index/segment/entry_format.h"
#include "index/segment/list_record.h"
#include "index/segment/raw_form.h"
#include "index/segment/vector_transform.h"
#include "obliq/quantizer.h"

namespace obliq {

/// The number of the encoder: a change of a byte that it writes takes another.
inline constexpr std::uint16_t kEncoder = 1;
/// The number of the row layout (entry_format.h).
inline constexpr std::uint16_t kRowLayout = 1;

/// The fixed numbers of a model, as stored (128 bytes, little-endian).
struct ModelInfo {
  std::uint64_t id = 0;  ///< of all other bytes of the model, learn queries too (model_id)
  std::uint64_t n = 0;   ///< vectors of the base that it was trained for
  std::uint64_t dim = 0;
  std::uint64_t nlist = 0;
  std::uint64_t seed = 0;
  std::uint32_t metric = 0;
  std::uint16_t raw = 0;  ///< RawForm
  std::uint16_t encoder = kEncoder;
  std::uint16_t row_layout = kRowLayout;
  std::int16_t router_scale_exponent = 0;  ///< units of router_blocks
  std::int16_t router_add_exponent = 0;
  std::uint16_t zero = 0;
  float scale = 1;            ///< of the vector transform, a power of two
  float sine = 0;             ///< root mean square sine of the angle between r and s
  float row_tangent = 0;      ///< root mean square tangent of the angle between r and y
  float typical_norm = 1;     ///< root mean square |x|, for ip
  float list_weight = 0;      ///< w of the list order, see list_key.h
  float mean_r2 = 0;          ///< mean |r|^2 of all vectors
  float spill = 0;            ///< share of the vectors that is to have a second entry
  float spill_threshold = 0;  ///< a vector whose loss is below has one (build/spill.h)
  char quantizer[28] = {};
  float near_margin = 0;  ///< of the groups that an encoder looks at (row_groups.h); 0: all lists
  std::uint64_t zeros = 0;
};
static_assert(sizeof(ModelInfo) == 128);

struct TrainedModel {
  ModelInfo info;
  std::span<const float> mean;                    ///< [dim], rotated
  std::span<const std::uint8_t> quantizer_state;  ///< of a trained quantizer
  std::span<const std::uint8_t> encoder_state;    ///< of one whose encoder learns
  std::span<const std::int8_t> centroid_levels;   ///< [nlist][dim]
  std::span<const std::uint32_t> far_lists;       ///< rising (centroid_code.h), or empty
  std::span<const float> far_points;              ///< [far_lists][dim]
  std::span<const ListPoint> lists;               ///< [nlist]
  std::span<const std::uint8_t> router_blocks;
  std::span<const GroupRecord> groups;         ///< of lists, or empty
  std::span<const std::uint8_t> group_panels;  ///< levels of their points (byte_panels.h)
  /// Numbers of lists in groups that follow each other, of those an encoder looks at; or empty.
  std::span<const std::uint32_t> near_sizes;
  std::span<const float> learn;  ///< [learn queries][dim], as given
  /// Of each learn query the id of the base vector that it is, -1: none, which is no answer to it.
  std::span<const std::int64_t> learn_ids;
  std::shared_ptr<const void> owner;  ///< keeps the bytes of the spans

  // Made by complete():
  std::shared_ptr<const Quantizer> quantizer;
  std::shared_ptr<const VectorTransform> transform;
  RowShape row_shape;
  std::vector<std::uint32_t> far_numbers;  ///< [nlist] place in far_lists or kNoList; or empty
  ListRecord router;                       ///< of router_blocks

  Metric metric() const { return static_cast<Metric>(info.metric); }
  std::size_t dim() const { return info.dim; }
  std::size_t nlist() const { return info.nlist; }
  RawForm raw_form() const { return static_cast<RawForm>(info.raw); }
  RawTier raw_tier() const { return tier_of(raw_form()); }
  /// Whether the raw vectors of a list are kept behind the transform.
  bool is_raw_behind(std::size_t list) const {
    return is_behind(raw_form(), far_point(list) != nullptr);
  }
  const std::int8_t* centroid(std::size_t list) const {
    return centroid_levels.data() + list * info.dim;
  }
  /// The centroid of a far list, dim floats; null for a near list.
  const float* far_point(std::size_t list) const {
    if (far_numbers.empty() || far_numbers[list] == kNoList) return nullptr;
    return far_points.data() + far_numbers[list] * info.dim;
  }
};

/// Makes what follows from the stored numbers. Throws std::invalid_argument on an unknown quantizer
/// or a state that does not fit it.
void complete(TrainedModel& model);

/// The model without what training and tuning alone need: as an index of one file holds it.
std::shared_ptr<const TrainedModel> without_learn(const TrainedModel& model);

/// The id of a model: 64 bits of all its bytes but the id.
std::uint64_t model_id(const TrainedModel& model);

}  // namespace obliq

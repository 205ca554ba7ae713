// The centroids of the lists as they are stored. A list's residuals start from the decoded point
// c' instead of the mean that k-means found, so that its rounding costs no accuracy: a query's
// distance to c' is known.
//
//     near lists   c'_i = scale * level_i, level_i in [-127, 127]: one byte per dim holds all that
//                  ranking and estimating need. Residuals grow by |c - c'|^2, below 1e-4 |c|^2
//     far lists    c' = c, in floats, besides its code, which still serves ranking by signs
//
// A list is *far* when its centroid is farther from the origin than kFarRadii times the radius of
// the list, as in tight clusters far apart: there terms of the size of |r||c| or |q||c|, each
// rounded, would drown what tells its vectors apart. So a far list is searched with q - c' in the
// place of q, and its distance to the query is computed without cancellation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "index/segment/trained_model.h"
#include "obliq/matrix_view.h"
#include "obliq/quantizer.h"
#include "quant/integer_query.h"

namespace obliq {

constexpr float kFarRadii = 8;

struct CodedCentroids {
  std::vector<std::int8_t> levels;       ///< [nlist][dim]
  std::vector<std::uint32_t> far_lists;  ///< rising
  std::vector<float> far_points;         ///< [far lists][dim]
};

/// Codes centroids after the transform and sets centroid_scale and centroid_norm2 of their points.
/// `mean_r2` is the mean |r|^2 of each list, which decides on those that are far; empty: none is.
CodedCentroids code_centroids(MatrixView<float> centroids, std::span<const float> mean_r2,
                              std::span<ListPoint> points);

/// c' of all lists, [nlist][dim], into a matrix of that shape.
void decode_centroids(const CodedCentroids& coded, std::span<const ListPoint> points,
                      Matrix<float>& centroids);
/// c' of a list: dim floats.
void decode_centroid(const TrainedModel& model, std::size_t list, float* out);

/// What a query has to do with a centroid.
struct CentroidDistance {
  float product;    ///< <q,c'>
  float distance2;  ///< |q-c'|^2
};

/// A query made ready for products with the levels: as 14-bit integers, whose rounding leaves about
/// 1e-5 |q||c'| in a product.
class CentroidQuery {
 public:
  explicit CentroidQuery(std::size_t dim);

  /// Takes a query after the transform and, where it is known already, its integer form for
  /// products with bytes. Both must live as long as distances are asked for.
  void set(const float* query, const ByteQuery& bytes = {});

  const float* values() const { return query_; }

  /// To c' of a list. Reads dim bytes, of a far list dim floats, and the record of the list.
  CentroidDistance distance(const TrainedModel& model, std::size_t list) const;

 private:
  CentroidDistance by_levels(const TrainedModel& model, std::size_t list) const;

  const float* query_ = nullptr;
  IntegerQuery integers_;  ///< where the query comes without
  ByteQuery bytes_;
  float norm2_ = 0;  ///< |q|^2
};

}  // namespace obliq

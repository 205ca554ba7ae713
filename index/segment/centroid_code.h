// The centroids of the lists as they are stored. A list's residuals start from the decoded point
// c' instead of the mean that k-means found,
//
//     c'_i = scale * (level_i + fine_i / 254),        level_i, fine_i in [-127, 127],
//
// so that its rounding costs no accuracy: a query's distance to c' is known. Only residuals grow,
// by |c - c'|^2, which is below 1e-4 |c|^2. Where that is less than a thousandth of the mean
// |r|^2, as in all but data far from the origin beside its spread, the fine part is left out:
// one byte per dim holds all that ranking and estimating need.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "index/segment/segment.h"
#include "obliq/matrix_view.h"
#include "obliq/quantizer.h"
#include "quant/integer_query.h"

namespace obliq {

struct CodedCentroids {
  std::vector<std::int8_t> levels;  ///< [nlist][dim]
  std::vector<std::int8_t> fine;    ///< [nlist][dim], or empty
};

/// Codes centroids after the transform and sets centroid_scale and centroid_norm2 of their records.
/// `mean_r2` is the mean |r|^2 that the base has to them, which decides on the fine part.
CodedCentroids code_centroids(MatrixView<float> centroids, double mean_r2,
                              std::span<ListRecord> records);

/// c' of all lists, [nlist][dim], into a matrix of that shape.
void decode_centroids(const CodedCentroids& coded, std::span<const ListRecord> records,
                      Matrix<float>& centroids);
/// c' of a list: dim floats.
void decode_centroid(const Segment& segment, std::size_t list, float* out);

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

  /// By the levels alone. Reads dim bytes and the record of the list.
  CentroidDistance by_levels(const Segment& segment, std::size_t list) const;
  /// With the fine part, where there is one.
  CentroidDistance exact(const Segment& segment, std::size_t list) const;

 private:
  const float* query_ = nullptr;
  IntegerQuery integers_;  ///< where the query comes without
  ByteQuery bytes_;
  float norm2_ = 0;  ///< |q|^2
};

}  // namespace obliq

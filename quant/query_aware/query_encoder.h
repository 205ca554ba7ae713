// Encoding for queries like those learnt from, with an unchanged decoder (arXiv 2602.05790 made
// constructive). With y the decoded levels, g the stored factor and the metric of query_metric.h,
// the encoder searches for the code of the least
//
//     |x - g y|^2_M,    M + alignment x x^T / |x|^2 in the place of M,    g = y^T M x / y^T M y
//
// The second term weighs the error along x itself: a query near x is not like the others. It needs
// a rotated basis; where M is diagonal there is nothing to feed back. At a scale s, with e = s x -
// y:
//
//   1. successive cancellation (LDLQ): blocks from the last to the first, y_B the point nearest to
//      s x_B + sum_{j beyond B} w_Bj e_j
//   2. coordinate descent: y_B the point nearest to y_B + M_BB^-1 (M e)_B where that lowers the
//      loss; `sweeps` passes, then s = 1/g, `rounds` times
//
// 16 vectors are encoded side by side, [dim][16] floats, one in each lane. A vector's code does not
// depend on the vectors in the other lanes. All of it is sums in a fixed order: the same codes on
// every platform. Cost for 16 vectors: sum over scales of (1/2 + rounds (sweeps + 1))
// times reading the dim x dim matrix once.
#pragma once

#include <cstddef>
#include <vector>

#include "quant/query_aware/query_metric.h"

namespace obliq {

inline constexpr std::size_t kVectorLanes = 16;

/// The points that the decoder can produce, `block()` <= 8 coordinates at a time.
class LaneRounder {
 public:
  virtual ~LaneRounder() = default;
  virtual std::size_t block() const = 0;
  /// point [block][16] <- a decodable point near target [block][16] in every lane. Any finite
  /// targets.
  virtual void round(const float* target, float* point) const = 0;
};

struct QueryEncoderOptions {
  float alignment = 0;              ///< in mean eigenvalues of M
  std::vector<float> scales = {1};  ///< first scales s of x to try, best one kept
  std::size_t rounds = 3;           ///< at each, of coordinate descent with s set anew
  std::size_t sweeps = 2;           ///< in each round
};

/// The best found so far, lane by lane.
struct LaneCodes {
  std::vector<float> levels;   ///< y [dim][16]
  float factor[kVectorLanes];  ///< g > 0
  float loss[kVectorLanes];    ///< infinite where no y on the side of x was found

  explicit LaneCodes(std::size_t dim);
};

class QueryEncoder {
 public:
  /// Both must outlive the encoder, and have the same block.
  QueryEncoder(const QueryMetric& metric, const LaneRounder& rounder, QueryEncoderOptions options);

  /// Encodes x [dim][16] from successive cancellation at every scale.
  LaneCodes encode(const float* x) const;

  /// y [dim][16] by successive cancellation of s x.
  std::vector<float> successive(const float* x, float scale) const;

  /// Rounds of coordinate descent from y, a decodable point for s x in every lane. Whatever is
  /// better than `best` replaces it.
  void refine(const float* x, float scale, std::vector<float> y, LaneCodes& best) const;

 private:
  struct Lanes;
  struct Move;

  void sweep(Lanes& lanes) const;
  void propose(const Lanes& lanes, Move& move) const;
  void accept(const Move& move, Lanes& lanes) const;
  void judge(Lanes& lanes, LaneCodes& best) const;

  const QueryMetric& metric_;
  const LaneRounder& rounder_;
  QueryEncoderOptions options_;
  std::vector<float> inverses_;  // of each diagonal block of M, [block][block]
};

}  // namespace obliq

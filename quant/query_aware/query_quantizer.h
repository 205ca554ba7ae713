// A quantizer whose encoder learns from queries (query_encoder.h), made of one that does not. Code,
// decoder and products are those of the plain quantizer; the stored factor is the one of the least
// loss in the metric of the queries. Untrained it is the plain quantizer itself.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "obliq/quantizer.h"
#include "quant/families.h"
#include "quant/query_aware/query_encoder.h"

namespace obliq {

/// The points that the code of a vector can stand for. Its levels are integers of at most 2047.
class QueryPoints : public LaneRounder {
 public:
  /// The size of a level in a vector of variance 1: its decoded y is that over sqrt(dim).
  virtual float unit() const = 0;
  /// Writes the code of a point: levels of whole blocks, a lane of what round() gave.
  virtual void write(const float* levels, std::uint8_t* code) const = 0;

  /// Whether paths() takes the place of successive cancellation, which then costs 16 times more.
  virtual bool has_paths() const { return false; }
  /// 16 points for s x, [dim][16], to start from for one vector x.
  virtual std::vector<float> paths(const QueryMetric& /*metric*/, const float* /*x*/,
                                   float /*scale*/) const {
    return {};
  }
};

struct QueryParts {
  QuantizerPtr plain;  ///< one factor; x^ = factor * unit / sqrt(dim) * levels
  std::unique_ptr<const QueryPoints> points;
};

/// The quantizer of a request that `make_parts` takes apart.
QuantizerPtr make_query_quantizer(const QuantizerRequest& request,
                                  QueryParts (*make_parts)(const QuantizerRequest&));

}  // namespace obliq

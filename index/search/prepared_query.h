// The forms of a query that a search uses, made once per query: transformed, as the LUT of the
// scan, as integers for the centroids, and in the scorer of the index's quantizer.
#pragma once

#include <memory>
#include <vector>

#include "index/search/list_views.h"
#include "index/search/probe_sorter.h"
#include "index/search/scan_query.h"
#include "index/segment/centroid_code.h"
#include "index/segment/trained_model.h"
#include "obliq/quantizer.h"

namespace obliq {

class PreparedQuery {
 public:
  /// Allocates all that a query takes. The model outlives this.
  explicit PreparedQuery(const TrainedModel& model);

  /// Takes a query of the space of the base, dim finite floats, and forgets the one before. A
  /// model without lists takes none.
  void set(const float* query);

  /// Behind the transform, [dim].
  const float* values() const { return transformed_.data(); }
  /// Scaled alone (cosine: of unit length), [dim], for products and distances with raw vectors that
  /// are not behind the transform; times raw_slope() they are distances of the metric.
  const float* raw() const { return raw_.data(); }
  float raw_slope() const { return raw_slope_; }
  const ScanQuery& scan() const { return scan_; }
  const CentroidQuery& centroids() const { return centroids_; }
  const Scorer& scorer() const { return *scorer_; }

  /// A distance of the metric is slope * (the distance after the transform) + offset.
  float slope() const { return slope_; }
  float offset() const { return offset_; }
  /// What the query sees of a list.
  ListView view_of(const Probe& probe) const;

  /// Memory held, in bytes.
  std::size_t bytes() const {
    return (raw_.size() + 3 * transformed_.size()) * sizeof(float) + scan_.bytes();
  }
  /// Starts loading what the scan of a list reads of the query.
  void fetch() const;

 private:
  void transform(const float* query);
  float shrinking(const float* query) const;
  void stretch(const float* query);

  const TrainedModel& model_;
  std::vector<float> raw_;
  std::vector<float> transformed_;
  float slope_ = 1;
  float offset_ = 0;
  float raw_slope_ = 1;
  ScanQuery scan_;
  CentroidQuery centroids_;
  std::unique_ptr<Scorer> scorer_;
};

}  // namespace obliq

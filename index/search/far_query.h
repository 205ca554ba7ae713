// A query as a far list sees it (segment/centroid_code.h): less the list's centroid, as floats and
// as the LUT of the scan.
#pragma once

#include <cstdint>
#include <vector>

#include "index/search/prepared_query.h"
#include "index/search/scan_query.h"
#include "index/segment/trained_model.h"

namespace obliq {

/// Writes q - c' for a far list, dim floats.
inline void subtract_far_point(const TrainedModel& model, const PreparedQuery& query,
                               std::uint32_t list, float* out) {
  const float* c = model.far_point(list);
  const float* q = query.values();
  for (std::size_t i = 0; i < model.dim(); ++i) out[i] = q[i] - c[i];
}

/// The LUT of q - c'. Holds no memory where no list is far.
class FarQuery {
 public:
  explicit FarQuery(const TrainedModel& model)
      : model_(model), values_(model.far_lists.empty() ? 0 : model.dim()), scan_(values_.size()) {}

  void set(const PreparedQuery& query, std::uint32_t list) {
    subtract_far_point(model_, query, list, values_.data());
    scan_.set(values_.data());
  }
  const ScanQuery& scan() const { return scan_; }

 private:
  const TrainedModel& model_;
  std::vector<float> values_;
  ScanQuery scan_;
};

}  // namespace obliq

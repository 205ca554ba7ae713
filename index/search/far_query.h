// A query as a far list sees it (segment/centroid_code.h): less the list's centroid, as floats and
// as the LUT of the scan.
#pragma once

#include <cstdint>
#include <vector>

#include "index/search/prepared_query.h"
#include "index/search/scan_query.h"
#include "index/segment/segment.h"

namespace obliq {

/// Writes q - c' for a far list, dim floats.
inline void subtract_far_point(const Segment& segment, const PreparedQuery& query,
                               std::uint32_t list, float* out) {
  const float* c = segment.far_point(list);
  const float* q = query.values();
  for (std::size_t i = 0; i < segment.dim(); ++i) out[i] = q[i] - c[i];
}

/// The LUT of q - c'. Holds no memory where no list is far.
class FarQuery {
 public:
  explicit FarQuery(const Segment& segment)
      : segment_(segment),
        values_(segment.far_lists.empty() ? 0 : segment.dim()),
        scan_(values_.size()) {}

  void set(const PreparedQuery& query, std::uint32_t list) {
    subtract_far_point(segment_, query, list, values_.data());
    scan_.set(values_.data());
  }
  const ScanQuery& scan() const { return scan_; }

 private:
  const Segment& segment_;
  std::vector<float> values_;
  ScanQuery scan_;
};

}  // namespace obliq

// What the router scans: the signs of the centroids' codes, as one list of entries whose additive
// factor holds the list's radius (segment/list_key.h), so that the estimate is the list's key.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "index/segment/list_record.h"
#include "obliq/matrix_view.h"
#include "obliq/metric.h"
#include "obliq/quantizer.h"

namespace obliq {

/// The lists of an index as its router sees them.
struct RoutedLists {
  Metric metric;
  float weight;                       ///< of a list's radius
  MatrixView<float> centroids;        ///< [nlist][dim], as decoded
  std::span<const ListRecord> lists;  ///< for their mean |r|^2
};

/// The blocks of the centroids as one list of entries, which `record` tells.
std::vector<std::uint8_t> sign_centroids(const RoutedLists& routed, const Quantizer& quantizer,
                                         ListRecord& record);

}  // namespace obliq

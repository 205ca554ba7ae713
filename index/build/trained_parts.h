// What a build learns from the sample, before it looks at the whole base: the vector transform's
// mean, centroids and their codes, the weight of a list's radius, groups of lists, the quantizer.
#pragma once

#include <memory>
#include <vector>

#include "index/build/build_plan.h"
#include "index/build/list_groups.h"
#include "index/segment/centroid_code.h"
#include "index/segment/vector_transform.h"
#include "obliq/quantizer.h"
#include "obliq/vector_source.h"

namespace obliq {

struct TrainedParts {
  std::unique_ptr<const VectorTransform> transform;
  QuantizerPtr quantizer;
  std::vector<std::uint8_t> quantizer_state;  ///< of one that has learnt
  Matrix<float> centroids;                    ///< [nlist][dim], transformed, as decoded
  CodedCentroids codes;                       ///< of the centroids
  std::vector<ListRecord> lists;              ///< with what belongs to the centroids
  ListGroups groups;                          ///< of lists, or none
  float list_weight = 0;                      ///< of a list's radius (segment/list_key.h)
};

/// Learns from `sample`, rows after the transform, which has no mean yet. A base without vectors
/// has no sample. Throws Cancelled when asked to stop.
TrainedParts train(const BuildPlan& plan, std::unique_ptr<VectorTransform> transform,
                   QuantizerPtr quantizer, const VectorSource& sample);

}  // namespace obliq

// What a build learns from the sample, before it looks at the whole base: the vector transform's
// mean, centroids and their codes, the weight of a list's radius, groups of lists, the quantizer.
#pragma once

#include <memory>
#include <vector>

#include "index/build/build_plan.h"
#include "index/build/list_groups.h"
#include "index/build/staged_vectors.h"
#include "index/segment/centroid_code.h"
#include "index/segment/vector_transform.h"
#include "obliq/quantizer.h"

namespace obliq {

struct TrainedParts {
  std::unique_ptr<const VectorTransform> transform;
  QuantizerPtr quantizer;
  std::vector<std::uint8_t> quantizer_state;  ///< of one that has learnt
  Matrix<float> centroids;                    ///< [nlist][dim], transformed, as decoded
  CodedCentroids codes;                       ///< of the centroids
  RawForm raw_form = RawForm::none;
  std::vector<ListRecord> lists;  ///< with what belongs to the centroids
  ListGroups groups;              ///< of lists, or none
  float list_weight = 0;          ///< of a list's radius (segment/list_key.h)
};

/// Learns from `sample`, rows as they were given. A base without vectors has no sample. Throws
/// Cancelled when asked to stop, std::invalid_argument where vectors are too small.
TrainedParts train(const BuildPlan& plan, QuantizerPtr quantizer, StagedVectors sample);

}  // namespace obliq

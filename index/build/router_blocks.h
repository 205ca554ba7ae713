// What the router scans: the signs of the centroids' codes, as one list of entries whose additive
// factor holds the list's radius (segment/list_key.h), so that the estimate is the list's key.
#pragma once

#include <cstdint>
#include <vector>

#include "index/segment/trained_model.h"
#include "obliq/matrix_view.h"

namespace obliq {

/// The blocks of the centroids, as decoded, as one list of entries. Sets the model's units of them;
/// all else of the model that belongs to lists and quantizer must be there.
std::vector<std::uint8_t> sign_centroids(MatrixView<float> centroids, TrainedModel& model);

}  // namespace obliq

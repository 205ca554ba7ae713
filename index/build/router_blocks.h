// What the router scans: the signs of the centroids' codes, as one list of entries whose additive
// factor holds the list's radius (segment/list_key.h), so that the estimate is the list's key.
#pragma once

#include <cstdint>
#include <vector>

#include "index/segment/list_record.h"
#include "index/segment/segment.h"

namespace obliq {

/// The centroids as one list of entries with `record`. Uses segment's info, centroids, lists (for
/// mean |r|^2) and quantizer.
std::vector<std::uint8_t> sign_centroids(const Segment& segment, ListRecord& record);

}  // namespace obliq

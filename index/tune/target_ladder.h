// Which threshold, which nprobe and which confidence meet each target recall, by the traces of
// learn queries.
//
// A number of lists is whole: where lists are full of near-duplicates, recall rises by .03 and more
// from one to the next. So of the lists that meet a target the confidence is lowered until the
// target is just met, and lists and confidence are those of the least work.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

#include "index/tune/stop_trace.h"
#include "obliq/tuning.h"

namespace obliq {

/// The least target recall for which the stop rule is considered.
constexpr float kLeastStopTarget = 0.9F;

/// Searches at one confidence through a number of lists.
struct Traced {
  float confidence;
  std::size_t lists;
  Traces traces;
};

/// Binomial thinning for what the codes lose, whatever lists are scanned: each of the k true
/// neighbours is kept independently with probability `share`.
struct Kept {
  std::uint32_t k;
  double share;
  double recall(const Outcome& own) const { return share * own.recall; }
  double deviation(const Outcome& own) const {
    const double scaled = share * own.deviation;
    return std::sqrt(scaled * scaled + share * (1 - share) * own.recall / k);
  }
};

/// Whether a target is met with the margin of tuning.h.
Traces::Test meets(float target, const Kept& kept, const Traces& traces);

/// For each target the greatest threshold that meets it at the usual confidence, and the way of a
/// fixed nprobe that is the least work; thresholds do not rise, nprobe does not fall. `traced`: by
/// falling confidence, the first the usual one through all lists.
TunedLadder make_ladder(std::span<const Traced> traced, const Kept& kept);

}  // namespace obliq

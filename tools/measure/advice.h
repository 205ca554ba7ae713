// From a study of a sample to proposals for the whole set: bytes by formula, recall and time by
// growth. With m vectors in the sample, of which a quarter was looked at too, and n in the set:
//
//     bytes    index_size, exact but for the blanks between lists, whose sizes vary as in
//              the sample
//     ceiling  that of the sample: neighbours lie closer together among more vectors, but so do
//              vectors and centroids (measured: docs/benchmarks.md)
//     target   a search for recall T scans the lists that cover T / ceiling of the neighbours; the
//              sq8 index of the sample is searched for T / ceiling * its own ceiling
//     counts   of lists, entries and rows: those of the sample times (n/m)^e, e from both sizes,
//              in [0, 1]
//     time     a stage's time an item, more where its bytes come from slower memory: bytes times
//              the difference of 1 / bandwidth at both sizes of what they lie in
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "index/segment/index_size.h"
#include "tools/measure/study.h"

namespace obliq::tools {

struct AdviceRequest {
  std::size_t n = 0;  ///< vectors of the whole set
  std::size_t k = 10;
  double target_recall = 0.95;
  std::size_t memory = 0;  ///< most bytes of the file; 0: any
};

/// An index that one could build, and what is expected of it.
struct Proposal {
  IndexShape shape;
  IndexSize size;
  double ceiling = 0;  ///< recall through all lists
  bool fits = false;   ///< in the memory
  /// Whether the target is within reach; only then the rest is known.
  bool reaches = false;
  double recall = 0;  ///< of a search for the target
  double qps = 0;     ///< of one thread, one query a call
  double lists = 0;   ///< that a query scans
};

/// What grows from `quarter` to `sample` while vectors grow by 4, when they grow by `ratio` more.
double grown(double quarter, double sample, double ratio);

/// All codes with all shares of spilling, the fastest first, those that do not reach the target
/// last. Cost: ten seconds of searches.
std::vector<Proposal> propose(const Study& study, const AdviceRequest& request,
                              const Progress& progress);

/// The proposal to follow: the smallest of those that fit, reach the target and are at most a tenth
/// slower than the fastest of them. Nothing when there is none.
const Proposal* recommended(std::span<const Proposal> proposals);
/// The smallest that reaches the target, whether it fits or not.
const Proposal* smallest(std::span<const Proposal> proposals);

/// The preset that is this index; empty when there is none.
std::string_view preset_of(const IndexShape& shape);

}  // namespace obliq::tools

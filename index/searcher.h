// One query through the four stages: route, scan, refine, raw (docs/design.md). Holds the scratch
// memory of a search, so that a query allocates nothing. One for each thread; the answer depends
// on the query and the options alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "index/router.h"
#include "index/scan_query.h"
#include "index/segment.h"
#include "index/top_k.h"

namespace obliq {

/// Options of a search, checked and resolved.
struct SearchPlan {
  std::size_t k = 10;
  std::size_t nprobe = 16;
  float deviations = 1.8F;  ///< standard deviations of the bounds; +infinity prunes nothing
};

class Searcher {
 public:
  explicit Searcher(const Segment& segment);

  /// Writes k distances and rows (-1 and +infinity where there are too few), nearest first.
  void search(const float* query, const SearchPlan& plan, float* distances, std::int64_t* rows,
              SearchCounters& counters);

 private:
  void enter(const float* query);
  void scan_probe(const Probe& probe, SearchCounters& counters);
  void refine(std::size_t found, SearchCounters& counters);
  void refine_range(std::size_t begin, std::size_t end, SearchCounters& counters);
  std::size_t keep_best(std::size_t found);
  void fetch_rows(std::size_t begin, std::size_t end);
  void refine_batch(std::size_t begin, std::size_t end, SearchCounters& counters);
  void offer(std::size_t survivor, float distance, SearchCounters& counters);
  float row_spread(std::size_t survivor) const;
  float exact_distance(std::uint32_t row);

  const Segment& segment_;
  const std::size_t dim_;
  const float weight_;  ///< of <x^,q> in a distance
  SearchPlan plan_;
  ScanQuery scan_;
  Router router_;
  std::unique_ptr<Scorer> scorer_;
  TopK top_;

  std::vector<float> raw_query_;  ///< in the space of the base, cosine: normalised
  std::vector<float> query_;      ///< behind the door
  float slope_ = 1;               ///< distance = slope * (that behind the door) + offset
  float offset_ = 0;
  std::vector<Probe> probes_;

  // The list at hand.
  const ListRecord* record_ = nullptr;
  ScanList list_ = {};
  float base_ = 0;           ///< distance of the query to the centroid, in distances of the metric
  float distance_ = 0;       ///< |q-c| behind the door
  std::uint64_t chunk_ = 0;  ///< first entry of the chunk at hand, from the start of blocks

  // Survivors of a chunk, and a batch of them.
  std::vector<std::uint32_t> entries_;
  std::vector<float> bounds_;
  std::vector<std::uint32_t> rows_;
  std::vector<CodeRef> refs_;
  std::vector<std::uint8_t> signs_;
  std::vector<float> products_;
  std::vector<std::size_t> batch_;
  std::vector<float> raw_row_;
};

}  // namespace obliq

// One query through the four stages: route, scan, refine, raw (docs/design.md). Holds the scratch
// memory of a search, so that a query allocates nothing. One for each thread; the answer depends
// on the query and the options alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "index/coder.h"
#include "index/router.h"
#include "index/row_set.h"
#include "index/scan_query.h"
#include "index/segment.h"
#include "index/stop_rule.h"
#include "index/top_k.h"

namespace obliq {

/// Options of a search, checked and resolved.
struct SearchPlan {
  std::size_t k = 10;
  std::size_t nprobe = 16;         ///< with a stop threshold the most lists
  float deviations = 1.8F;         ///< standard deviations of the bounds; +infinity prunes nothing
  std::optional<float> stop = {};  ///< threshold of the stop rule; none: nprobe lists
  bool fills = false;              ///< go on beyond nprobe lists while answers are missing
  StopObserver* observer = nullptr;       ///< watches a search that has a stop threshold
  std::uint32_t excluded = TopK::kNoRow;  ///< no answer
};

class Searcher {
 public:
  explicit Searcher(const Segment& segment);

  /// Writes k distances and rows (-1 and +infinity where there are too few), nearest first.
  void search(const float* query, const SearchPlan& plan, float* distances, std::int64_t* rows,
              SearchCounters& counters);

 private:
  /// A list as the query sees it.
  struct View {
    const ListRecord* record = nullptr;
    float base = 0;           ///< distance to the centroid, in distances of the metric
    float distance = 0;       ///< |q-c| behind the door
    std::uint64_t query = 0;  ///< number of the query; views of older ones are void
  };
  /// A survivor of the scan whose row is to be refined.
  struct Candidate {
    std::size_t survivor;
    RowHome home;
  };

  void enter(const float* query);
  View view_of(const Probe& probe) const;
  void start_homes();
  const View& view_of_home(std::uint32_t list, SearchCounters& counters);
  void fill(SearchCounters& counters);
  void scan_until_stop(SearchCounters& counters);
  float score(std::size_t lists, std::size_t last, const StopScale& scale) const;
  void scan_probe(const Probe& probe, SearchCounters& counters);
  void refine(std::size_t found, SearchCounters& counters);
  void refine_range(std::size_t begin, std::size_t end, SearchCounters& counters);
  std::size_t keep_best(std::size_t found);
  void fetch_rows(std::size_t begin, std::size_t end);
  void refine_batch(std::size_t begin, std::size_t end, SearchCounters& counters);
  void select_batch(std::size_t begin, std::size_t end);
  void fetch_home(const RowHome& home) const;
  void offer(const Candidate& candidate, const View& home, float distance,
             SearchCounters& counters);
  float row_spread(const Candidate& candidate, const View& home) const;
  float exact_distance(std::uint32_t row);
  const std::uint8_t* block_of(std::uint64_t entry) const;
  const std::uint8_t* row_at(std::uint32_t row) const;

  const Segment& segment_;
  const std::size_t dim_;
  const bool spilled_;
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

  // Where vectors are spilled: the homes that the query has met, and the rows it has refined.
  std::uint64_t query_number_ = 0;
  std::vector<View> views_;  ///< [nlist]
  RowSet refined_;

  // The list at hand.
  std::uint32_t list_ = 0;
  View view_;
  std::uint64_t chunk_ = 0;  ///< first entry of the chunk at hand, from the start of blocks

  // Survivors of a chunk, and a batch of them.
  std::vector<std::uint32_t> entries_;
  std::vector<float> bounds_;
  std::vector<std::uint32_t> rows_;
  std::vector<Candidate> batch_;
  std::vector<CodeRef> refs_;
  std::vector<std::uint8_t> signs_;
  std::vector<float> products_;
  std::vector<float> raw_row_;
};

}  // namespace obliq

// Scans lists for a query and refines what survives (docs/design.md): the stages scan, refine and
// raw. Holds their scratch memory, so that they allocate nothing. One for each thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "index/coder.h"
#include "index/query_state.h"
#include "index/router.h"
#include "index/segment.h"

namespace obliq {

class ListScanner {
 public:
  /// `router` tells the distance of lists that are homes of rows; it outlives this.
  ListScanner(const Segment& segment, const Router& router);

  /// Brings the answers of the list to the query.
  void scan(const Probe& probe, QueryState& query, SearchCounters& counters);

 private:
  /// A survivor of the scan whose row is to be refined.
  struct Candidate {
    std::size_t survivor;
    RowHome home;
  };

  const ListView& view_of_home(std::uint32_t list, SearchCounters& counters);
  void refine(std::size_t found, SearchCounters& counters);
  void refine_range(std::size_t begin, std::size_t end, SearchCounters& counters);
  std::size_t keep_best(std::size_t found);
  void fetch_rows(std::size_t begin, std::size_t end);
  void refine_batch(std::size_t begin, std::size_t end, SearchCounters& counters);
  void select_batch(std::size_t begin, std::size_t end);
  void fetch_home(const RowHome& home) const;
  void offer(const Candidate& candidate, const ListView& home, float distance,
             SearchCounters& counters);
  float row_spread(const Candidate& candidate, const ListView& home) const;
  float exact_distance(std::uint32_t row);
  const std::uint8_t* block_of(std::uint64_t entry) const;
  const std::uint8_t* row_at(std::uint32_t row) const;

  const Segment& segment_;
  const Router& router_;
  const std::size_t dim_;
  const bool spilled_;
  const float weight_;  ///< of <x^,q> in a distance

  // The query and its list at hand.
  QueryState* query_ = nullptr;
  std::uint32_t list_ = 0;
  ListView view_;
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

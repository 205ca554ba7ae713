// Where the time of a query goes: microseconds and bytes of every stage beside the bound, the time
// in which one thread reads as many bytes from a buffer of the size of the data that holds them.
//
// One thread, one query per call, as in sweep.h: an untimed pass, then rounds, each with a pass
// without and a pass with clocks. Reading a clock costs about 10 ns, up to a few hundred times per
// query; that cost is measured and subtracted from the stages, as `clock`. Stages, `call` (the
// checks of Index::search) and `clock` add up to the time with clocks. The fastest round is shown,
// since what disturbs a search is not its cost.
#pragma once

#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "index/search/search_counters.h"
#include "index/segment/index_size.h"
#include "obliq/index.h"
#include "obliq/progress.h"
#include "tools/measure/bandwidth.h"
#include "tools/measure/sweep.h"

namespace obliq::tools {

/// What a mean query does in one stage.
struct StageProfile {
  std::string stage;  ///< of search_counters.h, or "call", "clock"
  double us = 0;
  double count = 0;     ///< of the things whose bytes are counted
  double bytes = 0;     ///< touched: count times size
  double gb_per_s = 0;  ///< measured, where the data lies; 0: no bytes
  double bound_us() const { return gb_per_s > 0 ? bytes / gb_per_s / 1e3 : 0; }
};

struct Profile {
  std::string method;
  SearchOptions options;
  std::size_t queries = 0;
  double recall = 0;
  double us = 0;                            ///< per query, without clocks
  double timed_us = 0;                      ///< with clocks: the sum of the stages
  std::optional<double> instructions = {};  ///< per query
  SearchCounters counters = {};             ///< of one pass
  std::vector<StageProfile> stages = {};
};

/// Bytes of what each stage reads from; 0 where it reads nothing of an index.
std::array<std::size_t, kStages> stage_structures(const IndexShape& shape);

/// Requires repeat > 0. Throws Cancelled, and std::invalid_argument as searches do or when there
/// are no queries.
Profile profile_search(const Index& index, const SearchOptions& options, const Questions& questions,
                       std::size_t repeat, const std::vector<Bandwidth>& ladder);

nlohmann::ordered_json to_json(const Profile& profile);
/// A line about the point, then one line per stage.
std::string profile_text(const Profile& profile);
/// "262.1 kB 93 GB/s, 1.0 MB ..."
std::string bandwidth_text(std::span<const Bandwidth> ladder);

}  // namespace obliq::tools

// obliq bench --profile: profiles of indexes, built or opened, at some points.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "obliq/index.h"

namespace obliq::tools {

struct ProfileRun {
  std::string set;                    ///< with queries and ground truth, and a base to build from
  std::string index;                  ///< to open; empty: build
  std::vector<BuildOptions> builds;   ///< of the set's base, with its metric
  std::vector<SearchOptions> points;  ///< each with an nprobe or a target recall
  std::size_t queries = 0;            ///< only the first; 0: all
  std::size_t repeat = 5;
  bool json = false;
};

/// Prints a profile of every index at every point. Returns an ExitCode.
int run_profile(const ProfileRun& run);

}  // namespace obliq::tools

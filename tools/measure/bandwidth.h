// How fast one thread reads memory: what a search that only read its bytes would take. Buffers from
// 256 kB to 256 MB tell each cache and main memory apart.
#pragma once

#include <cstddef>
#include <vector>

namespace obliq::tools {

struct Bandwidth {
  std::size_t buffer = 0;  ///< bytes
  double gb_per_s = 0;     ///< 1e9 bytes per second
};

/// Buffers rising; each the best of several passes. Cost: a quarter of a second, 256 MB.
std::vector<Bandwidth> measure_bandwidth();

/// That of the smallest buffer that holds `bytes`, or of the largest. Requires one.
const Bandwidth& bandwidth_for(const std::vector<Bandwidth>& ladder, std::size_t bytes);

}  // namespace obliq::tools

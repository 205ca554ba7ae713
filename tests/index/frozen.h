// What pins files and answers: vectors made of whole numbers, without libm, searches, and hashes of
// what they find. Public headers alone, so that the pins outlive whatever moves behind those.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <fstream>
#include <iomanip>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "obliq/index.h"

namespace obliq::testing {

inline constexpr std::size_t kAllLists = 1'000'000;

/// SplitMix64.
class Bits {
 public:
  explicit Bits(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15ULL;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }

 private:
  std::uint64_t state_;
};

/// n vectors around 40 centres, which do not depend on the seed. Multiples of 1/128: centres are
/// uniform in [-4, 4), and four bytes, less their mean, give a deviation near 1.15 around them.
/// Every seventh coordinate is four times as wide.
inline Matrix<float> vectors(std::size_t n, std::size_t dim, std::uint64_t seed) {
  constexpr std::size_t kCentres = 40;
  Bits bits(dim);
  Matrix<float> centres(kCentres, dim);
  for (float& value : centres.values) {
    value = static_cast<float>(static_cast<int>(bits.next() % 1024) - 512) / 128;
  }
  bits = Bits(1000 * seed + dim);
  Matrix<float> x(n, dim);
  for (std::size_t i = 0; i < n; ++i) {
    const float* centre = centres.row(bits.next() % kCentres);
    for (std::size_t j = 0; j < dim; ++j) {
      const std::uint64_t word = bits.next();
      int sum = -510;
      for (int shift = 0; shift < 32; shift += 8) sum += static_cast<int>(word >> shift & 255);
      const float width = j % 7 == 0 ? 4 : 1;
      x.row(i)[j] = width * (centre[j] + static_cast<float>(sum) / 128);
    }
  }
  return x;
}

/// Beside the base by half a unit in each coordinate: a mean that ":query" can learn.
inline Matrix<float> queries(std::size_t n, std::size_t dim, std::uint64_t seed) {
  Matrix<float> x = vectors(n, dim, seed);
  for (float& value : x.values) value += .5F;
  return x;
}

/// FNV-1a of 64 bits.
class Hash {
 public:
  void add(std::string_view bytes) {
    for (const char byte : bytes) {
      value_ = (value_ ^ static_cast<unsigned char>(byte)) * 0x100000001B3ULL;
    }
  }
  void add(std::uint64_t value) {  // lowest byte first
    for (int shift = 0; shift < 64; shift += 8) {
      value_ = (value_ ^ (value >> shift & 255)) * 0x100000001B3ULL;
    }
  }
  std::string text() const {
    std::ostringstream out;
    out << std::hex << std::setw(16) << std::setfill('0') << value_;
    return out.str();
  }

 private:
  std::uint64_t value_ = 0xCBF29CE484222325ULL;
};

/// The searches of a row: few lists and all, every k, both orders, and what tuning allows.
inline std::vector<SearchOptions> searches(const IndexStats& stats) {
  std::vector<SearchOptions> all = {
      {.k = 1, .nprobe = 1, .confidence = .9F, .threads = 1, .batch_order = BatchOrder::query},
      {.k = 10, .nprobe = 8, .threads = 3, .batch_order = BatchOrder::list},
      {.k = 10, .nprobe = 16, .confidence = .5F, .threads = 2},
      {.k = 100, .nprobe = kAllLists, .confidence = 1, .threads = 1}};
  if (stats.n < 1000) all.push_back({.k = 10, .target_recall = .9});
  if (stats.tuning.ladders.empty()) return all;
  double most = 1;
  for (const TunedLadder& ladder : stats.tuning.ladders)
    most = std::min<double>(most, ladder.max_recall);
  all.push_back({.k = 1, .threads = 1, .target_recall = .7 * most});
  all.push_back(
      {.k = 10, .threads = 2, .target_recall = .98 * most, .batch_order = BatchOrder::list});
  all.push_back({.k = 30,
                 .nprobe = 20,
                 .threads = 1,
                 .target_recall = .9 * most,
                 .batch_order = BatchOrder::query});
  return all;
}

inline std::string answers_hash(const Index& index, const Matrix<float>& asked) {
  Hash hash;
  for (const SearchOptions& options : searches(index.stats())) {
    const SearchResult found = index.search(asked.view(), options);
    for (const std::int64_t id : found.ids.values) hash.add(static_cast<std::uint64_t>(id));
    for (const float distance : found.distances.values) {
      hash.add(std::uint64_t{std::bit_cast<std::uint32_t>(distance)});
    }
  }
  return hash.text();
}

inline std::string file_hash(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << in.rdbuf();
  Hash hash;
  hash.add(bytes.view());
  return hash.text();
}

/// The rows of a file of tests/golden by their names.
inline std::map<std::string, std::string> golden(const std::string& file) {
  std::ifstream in(OBLIQ_SOURCE_DIR "/tests/golden/" + file);
  std::map<std::string, std::string> rows;
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with('#')) rows[line.substr(0, line.find(' '))] = line;
  }
  return rows;
}

}  // namespace obliq::testing

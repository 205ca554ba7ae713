// What ids that are strings cost a collection beside ids that are numbers:
//
//     bench_keys FOLDER [ROWS]
//
// ROWS vectors of 8 dims (default: 1,000,000) with keys of 10 to 36 bytes are added in batches of
// 1,000 to a new collection in FOLDER, which goes afterwards. Look-ups are of keys in random order,
// one by one on one thread. A line per figure, with its unit.
#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "core/random.h"
#include "obliq/collection.h"
#include "storage/temporary_folder.h"

namespace obliq {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kDim = 8;
constexpr std::size_t kBatch = 1000;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void tell(const std::string& what, double figure, const char* unit) {
  fmt::print("{:<62} {:>12.4g} {}\n", what, figure, unit);
}

/// Bytes of memory of this process that no file has.
double resident_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("RssAnon:")) return 1024 * std::strtod(line.c_str() + 8, nullptr);
  }
  return 0;
}

double file_bytes(const std::string& path, const std::string& prefix) {
  double bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    if (!entry.path().filename().string().starts_with(prefix)) continue;
    bytes += static_cast<double>(entry.file_size());
  }
  return bytes;
}

class KeyBench {
 public:
  KeyBench(const std::string& folder, std::size_t rows) : folder_(folder), vectors_(rows, kDim) {
    Random random(1);
    for (float& x : vectors_.values) x = static_cast<float>(random.gaussian());
    for (std::size_t i = 0; i < rows; ++i) {
      keys_.push_back(fmt::format("doc/{:x}/{}", random.next() >> random.below(48), i));
    }
  }
  void run();

 private:
  Collection open(IdType ids) const {
    CollectionOptions options;
    options.dim = kDim;
    options.ids = ids;
    options.raw = RawTier::fp16;
    return Collection::create(path(ids), options, {.durability = Durability::none, .threads = 1});
  }
  std::string path(IdType ids) const { return folder_.path() + "/" + to_string(ids); }
  void fill(IdType ids);
  void look_up(const std::string& when, const Collection& collection) const;
  void replace_some() const;
  void compare_searches() const;
  void measure_memory(IdType ids) const;

  TemporaryFolder folder_;
  Matrix<float> vectors_;
  std::vector<std::string> keys_;
};

void KeyBench::look_up(const std::string& when, const Collection& collection) const {
  constexpr std::size_t kCount = 200000;
  Random random(2);
  std::vector<double> there;
  std::vector<double> absent;
  for (std::size_t i = 0; i < kCount; ++i) {
    const std::string& key = keys_[random.below(keys_.size())];
    const std::string other = key + "?";
    Clock::time_point start = Clock::now();
    const bool is_there = collection.contains(key);
    there.push_back(seconds_since(start));
    start = Clock::now();
    const bool is_other = collection.contains(other);
    absent.push_back(seconds_since(start));
    if (!is_there || is_other) throw std::runtime_error("a look-up is wrong: " + key);
  }
  for (auto* times : {&there, &absent}) std::sort(times->begin(), times->end());
  tell(when + ": look-up of a key, median", 1e6 * there[kCount / 2], "us");
  tell(when + ": 99th percentile", 1e6 * there[kCount / 100 * 99], "us");
  tell(when + ": of a key that is not there, median", 1e6 * absent[kCount / 2], "us");
  tell(when + ": 99th percentile", 1e6 * absent[kCount / 100 * 99], "us");
}

void KeyBench::fill(IdType ids) {
  Collection collection = open(ids);
  const std::vector<std::string_view> keys(keys_.begin(), keys_.end());
  const Clock::time_point start = Clock::now();
  for (std::size_t i = 0; i < vectors_.rows; i += kBatch) {
    const std::size_t n = std::min(kBatch, vectors_.rows - i);
    if (ids == IdType::string) {
      collection.add(vectors_.view().slice(i, n), std::span(keys).subspan(i, n));
    } else {
      collection.add(vectors_.view().slice(i, n));
    }
  }
  tell("add with ids " + to_string(ids), static_cast<double>(vectors_.rows) / seconds_since(start),
       "per s");
  collection.wait();
  tell("segments", static_cast<double>(collection.stats().segments), "");
  if (ids == IdType::string) look_up("as it was added", collection);
  const Clock::time_point then = Clock::now();
  collection.compact();
  tell("compact", seconds_since(then), "s");
  if (ids == IdType::string) look_up("compacted", collection);
}

// A twentieth of the keys get another vector, batch by batch.
void KeyBench::replace_some() const {
  Collection collection = Collection::open(path(IdType::string), {.durability = Durability::none});
  const std::vector<std::string_view> keys(keys_.begin(), keys_.end());
  const std::size_t n = keys.size() / 20;
  const Clock::time_point start = Clock::now();
  for (std::size_t i = 0; i + 100 <= n; i += 100) {
    collection.upsert(vectors_.view().slice(i + n, 100), std::span(keys).subspan(i, 100));
  }
  tell("replace in batches of 100", static_cast<double>(n) / seconds_since(start), "per s");
  tell("segments", static_cast<double>(collection.stats().segments), "");
  look_up("a twentieth replaced", collection);
}

void KeyBench::compare_searches() const {
  const Collection keyed = Collection::open(path(IdType::string), {.read_only = true});
  const Collection numbered = Collection::open(path(IdType::int64), {.read_only = true});
  const SearchOptions options = {.k = 10, .nprobe = 20, .threads = 1};
  constexpr std::size_t kQueries = 5000;
  double seconds[2] = {1e9, 1e9};
  for (int round = 0; round < 5; ++round) {
    Clock::time_point start = Clock::now();
    for (std::size_t q = 0; q < kQueries; ++q) {
      (void)numbered.search(vectors_.view().slice(q, 1), options);
    }
    seconds[0] = std::min(seconds[0], seconds_since(start));
    start = Clock::now();
    for (std::size_t q = 0; q < kQueries; ++q) {
      (void)keyed.search_keys(vectors_.view().slice(q, 1), options);
    }
    seconds[1] = std::min(seconds[1], seconds_since(start));
  }
  tell("search, ten ids that are numbers", 1e6 * seconds[0] / kQueries, "us");
  tell("search, ten that are strings", 1e6 * seconds[1] / kQueries, "us");
}

void KeyBench::measure_memory(IdType ids) const {
  ::malloc_trim(0);
  const double before = resident_bytes();
  const Collection collection = Collection::open(path(ids), {.read_only = true});
  if (ids == IdType::string) {
    for (const std::string& key : keys_) (void)collection.contains(key);
  }
  tell("memory besides mapped files, ids " + to_string(ids),
       (resident_bytes() - before) / static_cast<double>(vectors_.rows), "bytes per vector");
}

void KeyBench::run() {
  const auto n = static_cast<double>(vectors_.rows);
  double bytes = 0;
  for (const std::string& key : keys_) bytes += static_cast<double>(key.size());
  fill(IdType::int64);
  fill(IdType::string);
  tell("a key", bytes / n, "bytes");
  tell("file of keys", file_bytes(path(IdType::string), "keys-") / n, "bytes per vector");
  tell("file of the segment", file_bytes(path(IdType::string), "seg-") / n, "bytes per vector");
  compare_searches();
  measure_memory(IdType::int64);
  measure_memory(IdType::string);
  replace_some();
}

}  // namespace
}  // namespace obliq

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    fmt::print(stderr, "usage: bench_keys FOLDER [ROWS]\n");
    return 2;
  }
  try {
    const std::size_t rows = argc == 3 ? std::strtoull(argv[2], nullptr, 10) : 1'000'000;
    obliq::KeyBench(argv[1], std::max<std::size_t>(rows, 5000)).run();
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_keys: {}\n", error.what());
    return 1;
  }
}

// What changes cost a collection, and what they cost its searches:
//
//     bench_collection SET.hdf5 FOLDER [ROWS]
//
// ROWS base vectors (default: all) are added to a new collection in FOLDER, which goes afterwards;
// the test queries are asked one by one on one thread. A line per figure, with its unit.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "datasets/dataset.h"
#include "obliq/collection.h"
#include "storage/temporary_folder.h"

namespace obliq {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void tell(const std::string& what, double figure, const char* unit) {
  fmt::print("{:<62} {:>12.4g} {}\n", what, figure, unit);
}

// Of this process, resident. 0: the system does not tell.
std::uint64_t anonymous_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("RssAnon:")) return 1024 * std::strtoull(line.c_str() + 8, nullptr, 10);
  }
  return 0;
}

class CollectionBench {
 public:
  CollectionBench(const std::string& set, const std::string& folder, std::size_t rows)
      : data_(datasets::read_set(set)), folder_(folder) {
    rows_ = std::min(rows, data_.train.rows);
  }
  void run();

 private:
  static constexpr std::size_t kBatch = 1000;

  CollectionOptions options() const {
    CollectionOptions options;
    options.dim = data_.train.cols;
    options.metric = data_.metric;
    options.spill = .5;
    options.quantizer = "sq8";
    return options;
  }
  void add(Collection& collection, std::size_t first, std::size_t count) const {
    Matrix<std::int64_t> ids(count, 1);
    std::iota(ids.values.begin(), ids.values.end(), static_cast<std::int64_t>(first));
    collection.add(data_.train.view().slice(first, count), ids.view());
  }
  template <typename Searched>
  void search(const std::string& what, const Searched& searched, const SearchOptions& options);
  template <typename Searched>
  double recall(const Searched& searched, const SearchOptions& options) const;
  void fill();
  void compact(Collection& collection);
  void measure_single_adds();
  void measure_beside_adds();
  void measure_removal();
  void measure_opening();

  datasets::BenchmarkSet data_;
  TemporaryFolder folder_;
  std::size_t rows_ = 0;
  std::string path_ = folder_.path() + "/c";
};

// Of ids below the rows that were added.
template <typename Searched>
double CollectionBench::recall(const Searched& searched, const SearchOptions& options) const {
  const SearchResult found = searched.search(data_.test.view(), options);
  std::size_t hits = 0;
  for (std::size_t q = 0; q < data_.test.rows; ++q) {
    const std::int64_t* truth = data_.truth.ids.row(q);
    const std::int64_t* row = found.ids.row(q);
    for (std::size_t i = 0; i < options.k; ++i) {
      hits += std::find(truth, truth + options.k, row[i]) != truth + options.k ? 1 : 0;
    }
  }
  return static_cast<double>(hits) / static_cast<double>(data_.test.rows * options.k);
}

template <typename Searched>
void CollectionBench::search(const std::string& what, const Searched& searched,
                             const SearchOptions& options) {
  std::vector<double> times;
  for (int round = 0; round < 5; ++round) {
    for (std::size_t q = 0; q < data_.test.rows; ++q) {
      const Clock::time_point start = Clock::now();
      searched.search(data_.test.view().slice(q, 1), options);
      times.push_back(seconds_since(start));
    }
  }
  std::sort(times.begin(), times.end());
  tell(what + ": median of a search", 1e6 * times[times.size() / 2], "us");
  tell(what + ": 99th percentile", 1e6 * times[times.size() / 100 * 99], "us");
  if (rows_ == data_.train.rows) tell(what + ": recall@10", recall(searched, options), "");
}

void CollectionBench::fill() {
  Collection collection =
      Collection::create(path_, options(), {.durability = Durability::none, .threads = 1});
  const Clock::time_point start = Clock::now();
  double trained = 0;
  std::size_t since = 0;
  Clock::time_point then = start;
  for (std::size_t i = 0; i < rows_; i += kBatch) {
    add(collection, i, std::min(kBatch, rows_ - i));
    if (trained == 0 && !collection.stats().is_exact) {
      trained = seconds_since(start);
      then = Clock::now();
      since = i + kBatch;
    }
  }
  tell("add in batches of 1,000, from empty, not synced",
       static_cast<double>(rows_) / seconds_since(start), "per s");
  if (since > 0) {
    tell("the same, from the first model on",
         static_cast<double>(rows_ - since) / seconds_since(then), "per s");
  }
  const Clock::time_point waited = Clock::now();
  collection.wait();
  tell("until the background is done", seconds_since(waited), "s");
  compact(collection);
}

void CollectionBench::compact(Collection& collection) {
  const CollectionStats stats = collection.stats();
  const std::uint64_t written = stats.of_life.written_bytes();
  tell("segments", static_cast<double>(stats.segments), "");
  tell("lists", static_cast<double>(stats.nlist), "");
  const SearchOptions options = {.k = 10, .threads = 1, .target_recall = .95};
  search("at once", collection, options);
  const Clock::time_point compacted = Clock::now();
  collection.compact();
  tell("compact", seconds_since(compacted), "s");
  const CollectionStats after = collection.stats();
  const auto bytes = static_cast<double>(after.file_bytes);
  tell("written before that, over bytes of the compacted files",
       static_cast<double>(written) / bytes, "");
  tell("written by it, likewise",
       static_cast<double>(after.of_life.written_bytes() - written) / bytes, "");
  search("compacted", collection, options);
  collection.export_index(folder_.path() + "/x.obliq");
  search("the same, exported", Index::open(folder_.path() + "/x.obliq"), options);
}

void CollectionBench::measure_single_adds() {
  constexpr std::size_t kCount = 500;
  constexpr std::size_t kThreads = 8;
  const std::string file = folder_.path() + "/sync";
  const int fd = ::open(file.c_str(), O_CREAT | O_WRONLY, 0644);
  const std::array<char, 2048> bytes{};
  const Clock::time_point start = Clock::now();
  for (std::size_t i = 0; i < kCount; ++i) {
    if (::write(fd, bytes.data(), bytes.size()) < 0 || ::fdatasync(fd) != 0) std::abort();
  }
  tell("write 2 kB and fdatasync", kCount / seconds_since(start), "per s");
  ::close(fd);
  Collection collection = Collection::open(path_, {.threads = 1});
  const Clock::time_point then = Clock::now();
  for (std::size_t i = 0; i < kCount; ++i) {
    const std::int64_t id = static_cast<std::int64_t>(10'000'000 + i);
    collection.add(data_.train.view().slice(i, 1), {&id, 1, 1});
  }
  tell("add one by one, each synced", kCount / seconds_since(then), "per s");
  const Clock::time_point together = Clock::now();
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = 0; i < kCount; ++i) {
        const auto id = static_cast<std::int64_t>(11'000'000 + t * kCount + i);
        collection.add(data_.train.view().slice(i, 1), {&id, 1, 1});
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  tell("the same from eight threads at once", kThreads * kCount / seconds_since(together), "per s");
}

void CollectionBench::measure_beside_adds() {
  Collection collection = Collection::open(path_, {.durability = Durability::none, .threads = 1});
  const SearchOptions options = {.k = 10, .threads = 1, .target_recall = .95};
  search("before more is added", collection, options);
  std::atomic<bool> ends = false;
  std::size_t added = 0;
  const Clock::time_point start = Clock::now();
  std::thread writer([&] {
    for (std::size_t i = 0; !ends; i = (i + kBatch) % (rows_ - kBatch), added += kBatch) {
      Matrix<std::int64_t> ids(kBatch, 1);
      std::iota(ids.values.begin(), ids.values.end(),
                static_cast<std::int64_t>(20'000'000 + added));
      collection.add(data_.train.view().slice(i, kBatch), ids.view());
    }
  });
  search("while another thread adds", collection, options);
  ends = true;
  writer.join();
  tell("added meanwhile", static_cast<double>(added) / seconds_since(start), "per s");
}

void CollectionBench::measure_removal() {
  constexpr std::size_t kCount = 1000;
  Collection collection = Collection::open(path_, {.durability = Durability::none, .threads = 1});
  const Clock::time_point start = Clock::now();
  for (std::size_t i = 0; i < kCount; ++i) {
    const auto id = static_cast<std::int64_t>(7 * i);
    collection.remove(std::span(&id, 1));
  }
  tell("remove one by one", 1e6 * seconds_since(start) / kCount, "us");
}

void CollectionBench::measure_opening() {
  const Clock::time_point start = Clock::now();
  Collection collection = Collection::open(path_, {.read_only = true});
  tell("open", 1e3 * seconds_since(start), "ms");
  const Clock::time_point then = Clock::now();
  collection.search(data_.test.view().slice(0, 1), {.k = 10, .target_recall = .95});
  tell("first answer", 1e3 * seconds_since(then), "ms");
  tell("memory of this process that is in no file", static_cast<double>(anonymous_bytes()) / 1e6,
       "MB");
}

void CollectionBench::run() {
  fill();
  measure_single_adds();
  measure_beside_adds();
  measure_removal();
  measure_opening();
}

}  // namespace
}  // namespace obliq

int main(int argc, char** argv) {
  if (argc < 3 || argc > 4) {
    fmt::print(stderr, "usage: bench_collection SET.hdf5 FOLDER [ROWS]\n");
    return 2;
  }
  try {
    const std::size_t rows = argc == 4 ? std::strtoull(argv[3], nullptr, 10) : SIZE_MAX;
    obliq::CollectionBench(argv[1], argv[2], rows).run();
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_collection: {}\n", error.what());
    return 1;
  }
}

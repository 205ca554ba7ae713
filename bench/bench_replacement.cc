// What is left of recall and speed when half of a collection has been replaced:
//
//     bench_replacement SET.hdf5 FOLDER
//
// The first half of the base is added; then every other vector gives its place to one of the second
// half, as it is (the same distribution) or with its coordinates in reverse order (another one;
// half of the queries, too, then). Beside it an index that is built of the same vectors anew. Both
// are asked with a target recall of .95 at k = 10, one by one on one thread, turn by turn.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <numeric>
#include <string>
#include <vector>

#include "core/exact_knn.h"
#include "datasets/dataset.h"
#include "obliq/collection.h"
#include "storage/temporary_folder.h"

namespace obliq {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kBatch = 1000;
constexpr SearchOptions kSearch = {.k = 10, .threads = 1, .target_recall = .95};

double microseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

// A copy in which one row of `step` has its coordinates in reverse order; 0: none.
Matrix<float> reversed(MatrixView<float> from, std::size_t step) {
  Matrix<float> to(from.rows, from.cols);
  for (std::size_t i = 0; i < from.rows; ++i) {
    std::copy_n(from.row(i), from.cols, to.row(i));
    if (step > 0 && i % step == 0) std::reverse(to.row(i), to.row(i) + from.cols);
  }
  return to;
}

/// Vectors as they are in the end, and queries with their true neighbours.
class ReplacementBench {
 public:
  ReplacementBench(const std::string& set, const std::string& folder, bool other)
      : data_(datasets::read_set(set)), folder_(folder), other_(other) {
    const std::size_t half = data_.train.rows / 2;
    final_ = Matrix<float>(half, data_.train.cols);
    const Matrix<float> second = reversed(data_.train.view().slice(half, half), other ? 1 : 0);
    for (std::size_t i = 0; i < half; ++i) {
      std::copy_n(i % 2 == 0 ? second.row(i) : data_.train.row(i), final_.cols, final_.row(i));
    }
    queries_ = reversed(data_.test.view(), other ? 2 : 0);
    ExactKnnOptions exact;
    exact.metric = data_.metric;
    exact.k = kSearch.k;
    truth_ = exact_knn(MatrixSource(final_.view()), queries_.view(), {}, exact);
  }

  void run() {
    CollectionOptions options;
    options.dim = final_.cols;
    options.metric = data_.metric;
    options.spill = .5;
    options.quantizer = "sq8";
    Collection collection =
        Collection::create(folder_.path() + "/c", options, {.durability = Durability::none});
    for (std::size_t i = 0; i < final_.rows; i += kBatch) {
      put(collection, data_.train.view().slice(0, final_.rows), i, 1);
    }
    collection.compact();
    collection.wait();
    for (std::size_t i = 0; i < final_.rows; i += kBatch) put(collection, final_.view(), i, 2);
    collection.wait();
    BuildOptions build;
    build.metric = data_.metric;
    build.quantizer = "sq8";
    build.spill = .5;
    const Index fresh = Index::build(final_.view(), build);
    compare("at once", collection, fresh);
    collection.compact();
    collection.wait();
    compare("compacted", collection, fresh);
    collection.train();
    compare("trained", collection, fresh);
  }

 private:
  // Rows [first, first + kBatch) of `vectors`, of which one in `step`.
  static void put(Collection& collection, MatrixView<float> vectors, std::size_t first,
                  std::size_t step) {
    const std::size_t n = std::min(kBatch, vectors.rows - first);
    std::vector<std::int64_t> ids;
    Matrix<float> rows((n + step - 1) / step, vectors.cols);
    for (std::size_t i = 0; i < n; i += step) {
      std::copy_n(vectors.row(first + i), vectors.cols, rows.row(ids.size()));
      ids.push_back(static_cast<std::int64_t>(first + i));
    }
    collection.upsert(rows.view(), {ids.data(), ids.size(), 1});
  }

  template <typename Searched>
  double recall(const Searched& searched) const {
    const SearchResult found = searched.search(queries_.view(), kSearch);
    std::size_t hits = 0;
    for (std::size_t q = 0; q < queries_.rows; ++q) {
      for (const TopK::Answer& answer : truth_[q]) {
        const std::int64_t* row = found.ids.row(q);
        hits += std::count(row, row + kSearch.k, static_cast<std::int64_t>(answer.second));
      }
    }
    return static_cast<double>(hits) / static_cast<double>(queries_.rows * kSearch.k);
  }

  template <typename Searched>
  double seconds(const Searched& searched) const {
    const Clock::time_point start = Clock::now();
    for (std::size_t q = 0; q < queries_.rows; ++q) {
      searched.search(queries_.view().slice(q, 1), kSearch);
    }
    return microseconds_since(start) / static_cast<double>(queries_.rows);
  }

  void compare(const char* when, const Collection& collection, const Index& fresh) const {
    std::vector<double> changed;
    std::vector<double> built;
    for (int round = 0; round < 9; ++round) {
      changed.push_back(seconds(collection));
      built.push_back(seconds(fresh));
    }
    const auto median = [](std::vector<double>& all) {
      std::sort(all.begin(), all.end());
      return all[all.size() / 2];
    };
    const CollectionStats stats = collection.stats();
    fmt::print(
        "half replaced by {}, {}: recall {:.4f}, {:.2f} us; built anew {:.4f}, {:.2f} us; "
        "QPS {:.3f} of it; {} segments, {:.1f} % deleted, drift {:.2f}\n",
        other_ ? "another distribution" : "the same distribution", when, recall(collection),
        median(changed), recall(fresh), median(built), median(built) / median(changed),
        stats.segments, 100 * stats.deleted_share, stats.drift.value_or(0));
  }

  datasets::BenchmarkSet data_;
  TemporaryFolder folder_;
  bool other_;
  Matrix<float> final_;
  Matrix<float> queries_;
  Neighbours truth_;
};

}  // namespace
}  // namespace obliq

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: bench_replacement SET.hdf5 FOLDER\n");
    return 2;
  }
  try {
    for (const bool other : {false, true}) {
      obliq::ReplacementBench(argv[1], argv[2], other).run();
    }
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_replacement: {}\n", error.what());
    return 1;
  }
}

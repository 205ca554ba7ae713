// obliq and its peers side by side on one set: what bench and demo run.
//
// For a fair comparison everybody shares one set of centroids, trained once by obliq's k-means;
// its indexes get them by BuildOptions::centroids. Cosine: base and queries are normalised first,
// so that FAISS may compare by L2, which orders unit vectors alike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "datasets/dataset.h"
#include "obliq/index.h"
#include "obliq/progress.h"
#include "tools/measure/searcher.h"
#include "tools/measure/sweep.h"

namespace obliq::tools {

struct ContestOptions {
  RawTier raw = RawTier::none;  ///< of obliq's indexes
  std::size_t nlist = 0;        ///< 0: about 4 sqrt(n)
  std::vector<std::size_t> nprobe;
  float confidence = SearchOptions{}.confidence;
  float k_factor = 8;
  std::uint64_t seed = 1;
  int build_threads = 0;
  int kmeans_iterations = 10;
};

class Contest {
 public:
  /// `set` must have train, test and truth, and outlive this; cosine vectors are normalised in
  /// place. Throws std::invalid_argument when something is missing.
  Contest(datasets::BenchmarkSet& set, const ContestOptions& options);

  std::size_t nlist() const { return nlist_; }
  /// Trains the centroids that everybody added later shares.
  void share_centroids(const Progress& progress);
  /// Builds an index of obliq and adds it.
  void add_obliq(const std::string& spec, const Progress& progress);
  /// Builds one of FAISS and adds it. Requires share_centroids before.
  void add_faiss(const std::string& spec, const Progress& progress);
  void add(std::unique_ptr<Searcher> searcher) { searchers_.push_back(std::move(searcher)); }
  /// Measures all of them on the first `queries` of the set's queries (0: all).
  std::vector<Point> run(const SweepOptions& options, std::size_t queries,
                         const Progress& progress) const;

 private:
  datasets::BenchmarkSet& set_;
  ContestOptions options_;
  std::size_t nlist_ = 0;
  Matrix<float> centroids_;  // empty: obliq's indexes train their own
  std::vector<std::unique_ptr<Searcher>> searchers_;
};

}  // namespace obliq::tools

#include "tools/measure/contest.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <utility>

#include "index/segment/list_counts.h"
#include "tools/flags.h"
#include "tools/measure/centroids.h"
#include "tools/measure/faiss_peer.h"
#include "tools/measure/questions.h"

namespace obliq::tools {
namespace {

constexpr std::size_t kMostNprobe = 64;  // by default; FAISS without AVX takes minutes for more

void check(const datasets::BenchmarkSet& set) {
  if (set.train.rows == 0 || set.test.rows == 0 || set.truth.ids.rows == 0) {
    throw std::invalid_argument(
        "the set must have base vectors, queries and ground truth: make one with 'obliq "
        "groundtruth'");
  }
}

}  // namespace

Contest::Contest(datasets::BenchmarkSet& set, const ContestOptions& options)
    : set_(set), options_(options) {
  check(set);
  if (set.metric == Metric::cosine) {
    normalise(set.train);
    normalise(set.test);
  }
  nlist_ = options.nlist == 0 ? choose_nlist(set.train.rows) : options.nlist;
}

void Contest::share_centroids(const Progress& progress) {
  centroids_ = train_centroids(
      set_.train.view(),
      {nlist_, options_.seed, options_.kmeans_iterations, options_.build_threads}, progress);
}

void Contest::add_obliq(const std::string& spec, const Progress& progress) {
  BuildOptions build;
  build.metric = set_.metric;
  build.quantizer = spec;
  build.nlist = nlist_;
  build.raw = options_.raw;
  build.seed = options_.seed;
  build.threads = options_.build_threads;
  build.kmeans_iterations = options_.kmeans_iterations;
  build.centroids = centroids_.view();
  build.progress = progress;
  const auto start = std::chrono::steady_clock::now();
  Index index = Index::build(set_.train.view(), build);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  add(make_obliq_searcher(std::move(index), options_.confidence, seconds.count()));
}

void Contest::add_faiss(const std::string& spec, const Progress& progress) {
  FaissOptions faiss;
  faiss.metric = set_.metric;
  faiss.centroids = centroids_.view();
  faiss.k_factor = options_.k_factor;
  faiss.threads = options_.build_threads;
  faiss.progress = progress;
  faiss.stage = "building faiss IVF," + spec;
  add(make_faiss_searcher(spec, set_.train.view(), faiss));
}

std::vector<Point> Contest::run(const SweepOptions& options, std::size_t queries,
                                const Progress& progress) const {
  const auto nprobe = resolve_nprobe(options_.nprobe, nlist_, kMostNprobe);
  std::vector<Contestant> contestants;
  for (const auto& searcher : searchers_) contestants.push_back({searcher.get(), nprobe});
  const std::size_t rows = queries == 0 ? set_.test.rows : std::min(queries, set_.test.rows);
  const datasets::GroundTruth truth = first_rows(set_.truth, rows);
  return sweep(contestants, {set_.test.view().slice(0, rows), &truth, set_.metric}, options,
               progress);
}

}  // namespace obliq::tools

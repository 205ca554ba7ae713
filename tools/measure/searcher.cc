#include "tools/measure/searcher.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/kernels/dispatch.h"
#include "index/index_access.h"

namespace obliq::tools {
namespace {

/// What indexes and collections have in common.
class OptionsSearcher : public Searcher {
 public:
  OptionsSearcher(IndexStats stats, float confidence) : stats_(std::move(stats)) {
    options_.confidence = confidence;
  }

  std::string method() const override { return obliq_method(stats_); }
  std::string simd() const override { return kernels().name; }
  double bytes_per_vector() const override { return stats_.bytes_per_vector; }
  void set_nprobe(std::size_t nprobe) override {
    options_.nprobe = nprobe;
    options_.target_recall = 0;
  }
  void set_target_recall(double recall) override {
    options_.nprobe.reset();
    options_.target_recall = recall;
  }
  void set_batch_order(BatchOrder order) override { options_.batch_order = order; }
  void set_filter(const Filter& filter) override { options_.filter = filter; }

 protected:
  SearchOptions options(std::size_t k, int threads) const {
    SearchOptions options = options_;
    options.k = k;
    options.threads = threads;
    return options;
  }

 private:
  IndexStats stats_;
  SearchOptions options_;
};

class ObliqSearcher final : public OptionsSearcher {
 public:
  ObliqSearcher(Index index, float confidence, double build_seconds)
      : OptionsSearcher(index.stats(), confidence),
        index_(std::move(index)),
        build_seconds_(build_seconds) {}

  double build_seconds() const override { return build_seconds_; }
  void search(MatrixView<float> queries, std::size_t k, int threads, float* distances,
              std::int64_t* ids, SearchCounters* counters) const override {
    IndexAccess::search(index_, queries, options(k, threads), distances, ids, counters);
  }

 private:
  Index index_;
  double build_seconds_;
};

class CollectionSearcher final : public OptionsSearcher {
 public:
  CollectionSearcher(Searched collection, float confidence)
      : OptionsSearcher(collection.stats(), confidence), collection_(std::move(collection)) {}

  void search(MatrixView<float> queries, std::size_t k, int threads, float* distances,
              std::int64_t* ids, SearchCounters* counters) const override {
    SearchOptions wanted = options(k, threads);
    std::vector<SearchExplanation> work;
    if (counters != nullptr) wanted.explain = &work;
    const SearchResult found = collection_.search(queries, wanted);
    for (const SearchExplanation& query : work) {
      counters->lists += query.lists;
      counters->entries += query.entries;
      counters->refined += query.refined;
      counters->exact += query.exact;
    }
    std::copy(found.distances.values.begin(), found.distances.values.end(), distances);
    std::copy(found.ids.values.begin(), found.ids.values.end(), ids);
  }

 private:
  Searched collection_;
};

}  // namespace

std::string obliq_method(const IndexStats& stats) {
  const std::string name = "obliq " + stats.quantizer;
  return stats.raw == RawTier::none ? name : name + "+" + to_string(stats.raw);
}

std::unique_ptr<Searcher> make_obliq_searcher(Index index, float confidence, double build_seconds) {
  return std::make_unique<ObliqSearcher>(std::move(index), confidence, build_seconds);
}

std::unique_ptr<Searcher> make_collection_searcher(Searched collection, float confidence) {
  return std::make_unique<CollectionSearcher>(std::move(collection), confidence);
}

}  // namespace obliq::tools

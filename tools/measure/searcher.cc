#include "tools/measure/searcher.h"

#include <utility>

#include "core/kernels/dispatch.h"
#include "index/index_access.h"

namespace obliq::tools {
namespace {

class ObliqSearcher final : public Searcher {
 public:
  ObliqSearcher(Index index, float confidence, double build_seconds)
      : index_(std::move(index)), stats_(index_.stats()), build_seconds_(build_seconds) {
    options_.confidence = confidence;
  }

  std::string method() const override { return obliq_method(stats_); }
  std::string simd() const override { return kernels().name; }
  double bytes_per_vector() const override { return stats_.bytes_per_vector; }
  double build_seconds() const override { return build_seconds_; }
  void set_nprobe(std::size_t nprobe) override {
    options_.nprobe = nprobe;
    options_.target_recall = 0;
  }
  void set_target_recall(double recall) override {
    options_.nprobe.reset();
    options_.target_recall = recall;
  }
  void set_batch_order(BatchOrder order) override { options_.batch_order = order; }
  void search(MatrixView<float> queries, std::size_t k, int threads, float* distances,
              std::int64_t* ids, SearchCounters* counters) const override {
    SearchOptions options = options_;
    options.k = k;
    options.threads = threads;
    IndexAccess::search(index_, queries, options, distances, ids, counters);
  }

 private:
  Index index_;
  IndexStats stats_;
  double build_seconds_;
  SearchOptions options_;
};

}  // namespace

std::string obliq_method(const IndexStats& stats) {
  const std::string name = "obliq " + stats.quantizer;
  return stats.raw == RawTier::none ? name : name + "+" + to_string(stats.raw);
}

std::unique_ptr<Searcher> make_obliq_searcher(Index index, float confidence, double build_seconds) {
  return std::make_unique<ObliqSearcher>(std::move(index), confidence, build_seconds);
}

}  // namespace obliq::tools

// Something that answers queries: an obliq index or a peer's. What eval, bench and demo measure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "index/search/search_counters.h"
#include "obliq/index.h"
#include "obliq/matrix_view.h"
#include "tools/searched.h"

namespace obliq::tools {

class Searcher {
 public:
  virtual ~Searcher() = default;
  virtual std::string method() const = 0;       ///< e.g. "obliq lm4", "faiss IVF,PQ96"
  virtual std::string simd() const = 0;         ///< ISA that its code uses
  virtual double bytes_per_vector() const = 0;  ///< without external ids and centroids
  virtual double build_seconds() const { return 0; }
  /// Sets nprobe for the searches that follow. Not while one is running.
  virtual void set_nprobe(std::size_t nprobe) = 0;
  /// Sets the order of batches, where a searcher has several.
  virtual void set_batch_order(BatchOrder /*order*/) {}
  /// Sets which vectors may be answers, where a searcher can leave some out.
  virtual void set_filter(const Filter& /*filter*/) {}
  /// Sets a target recall instead, 0: the default, where a searcher knows such a thing.
  virtual void set_target_recall(double /*recall*/) {}
  /// Writes queries.rows * k distances and ids, nearest first. May be called by several threads at
  /// once; `threads` is how many this one call may use. Adds to `counters` when it can count.
  virtual void search(MatrixView<float> queries, std::size_t k, int threads, float* distances,
                      std::int64_t* ids, SearchCounters* counters) const = 0;
};

/// "obliq lm4", or "obliq lm4+fp16" with a raw tier.
std::string obliq_method(const IndexStats& stats);

/// Searches `index` at `confidence`.
std::unique_ptr<Searcher> make_obliq_searcher(Index index, float confidence,
                                              double build_seconds = 0);

/// Searches a collection at `confidence`.
std::unique_ptr<Searcher> make_collection_searcher(Searched collection, float confidence);

}  // namespace obliq::tools

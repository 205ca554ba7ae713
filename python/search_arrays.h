// What a search takes from Python, of an index and of a collection alike.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "obliq/index.h"
#include "python/arrays.h"
#include "python/columns.h"

namespace obliq::python {

/// The memory of queries [queries][dim], and that of the answers, which the caller makes:
/// [queries][k] each. Made and destroyed with the GIL.
struct SearchArrays {
  SearchArrays(nb::handle query_array, nb::handle distance_array, nb::handle id_array)
      : query_memory(query_array), distances(distance_array), ids(id_array) {
    if (distances.rows() != query_memory.rows() || ids.rows() != query_memory.rows() ||
        ids.columns() != k()) {
      throw nb::value_error("distances and ids must both be arrays [queries][k]");
    }
  }

  std::size_t k() const { return distances.columns(); }
  MatrixView<float> queries() const {
    return {query_memory.data(), query_memory.rows(), query_memory.columns()};
  }

  ArrayMemory<const float> query_memory;
  ArrayMemory<float> distances;
  ArrayMemory<std::int64_t> ids;
};

/// Where a search is to tell of its work: an array [queries][7] of lists, entries, refined, exact,
/// allowed, SearchEnd and SearchMethod, or None. Made and destroyed with the GIL.
class SearchWork {
 public:
  explicit SearchWork(nb::handle array) {
    if (!array.is_none()) memory_.emplace(array);
  }

  /// For SearchOptions.
  std::vector<SearchExplanation>* explain() { return memory_ ? &work_ : nullptr; }
  /// Writes what was told of queries from number `first` on.
  void write(std::size_t first) {
    if (!memory_) return;
    if (memory_->columns() != 7 || first + work_.size() > memory_->rows()) {
      throw std::invalid_argument("work must be an array [queries][7]");
    }
    std::int64_t* out = memory_->data() + first * 7;
    for (const SearchExplanation& query : work_) {
      for (const std::uint64_t number :
           {query.lists, query.entries, query.refined, query.exact, query.allowed}) {
        *out++ = static_cast<std::int64_t>(number);
      }
      *out++ = static_cast<std::int64_t>(query.end);
      *out++ = static_cast<std::int64_t>(query.method);
    }
  }

 private:
  std::optional<ArrayMemory<std::int64_t>> memory_;
  std::vector<SearchExplanation> work_;
};

/// Which answers a search is to give, and with what.
struct Wanted {
  std::optional<Filter> filter;      ///< none: any
  std::vector<std::string> columns;  ///< names of those to return

  /// For options of searches of all kinds.
  template <typename Options>
  void put_into(Options& options) const {
    options.filter = filter;
    options.columns = columns;
  }
};

/// Throws std::invalid_argument where nprobe is below 1, or no such order is known.
inline SearchOptions search_options(std::size_t k, std::optional<std::int64_t> nprobe,
                                    float confidence, int threads, double target_recall,
                                    const std::string& batch_order) {
  SearchOptions options{k, {}, confidence, threads, target_recall, parse_batch_order(batch_order)};
  if (nprobe) options.nprobe = count_of(*nprobe, "nprobe");
  return options;
}

}  // namespace obliq::python

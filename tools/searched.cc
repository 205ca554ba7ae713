#include "tools/searched.h"

#include <fmt/core.h>

#include <stdexcept>
#include <utility>

#include "tools/collections.h"
#include "tools/parts.h"

namespace obliq::tools {
namespace {

IndexStats stats_of(const CollectionStats& collection) {
  IndexStats stats;
  stats.n = collection.n;
  stats.dim = collection.dim;
  stats.nlist = collection.nlist;
  stats.metric = collection.metric;
  stats.quantizer = collection.is_exact ? "exact" : collection.quantizer;
  stats.file_bytes = collection.file_bytes;
  stats.segments = collection.segments;
  if (stats.n > 0) {
    stats.bytes_per_vector = static_cast<double>(stats.file_bytes) / static_cast<double>(stats.n);
  }
  return stats;
}

[[noreturn]] void refuse_keys() {
  throw std::invalid_argument(
      "the ids of the collection are strings: export an index, whose ids are numbers");
}

}  // namespace

Searched::Searched(Collection collection)
    : what_(std::move(collection)),
      stats_(stats_of(std::get<Collection>(what_).stats())),
      has_keys_(std::get<Collection>(what_).options().ids == IdType::string) {}

Searched Searched::open(const std::string& path, const std::vector<std::string>& segments,
                        const OpenOptions& options) {
  if (!is_collection(path)) return Searched(open_index_or_segments(path, segments, options));
  if (options.read_ahead) {
    throw std::invalid_argument(
        fmt::format("{} is a collection: leave out --read-ahead, which is for indexes", path));
  }
  if (segments.empty()) return Searched(Collection::open(path, {.read_only = true}));
  throw std::invalid_argument(
      fmt::format("{} is a collection: leave out --segment, which is for models", path));
}

SearchResult Searched::search(MatrixView<float> queries, const SearchOptions& options) const {
  if (has_keys_) refuse_keys();
  return std::visit([&](const auto& what) { return what.search(queries, options); }, what_);
}

RangeSearchResult Searched::range_search(MatrixView<float> queries, float radius,
                                         const RangeSearchOptions& options) const {
  if (has_keys_) refuse_keys();
  return std::visit([&](const auto& what) { return what.range_search(queries, radius, options); },
                    what_);
}

}  // namespace obliq::tools

// What search and eval look into: an index, segments of a model, or a collection.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "obliq/collection.h"
#include "obliq/index.h"

namespace obliq::tools {

class Searched {
 public:
  /// A collection where the path is a directory, open to read; else as open_index_or_segments.
  /// Throws std::invalid_argument for segments of a collection.
  static Searched open(const std::string& path, const std::vector<std::string>& segments,
                       const OpenOptions& options = {});

  /// Of a collection what it tells: bytes_per_vector are those of its files. Cost: constant.
  const IndexStats& stats() const { return stats_; }
  /// Throws std::invalid_argument where ids are strings.
  SearchResult search(MatrixView<float> queries, const SearchOptions& options) const;

  /// Throws as search.
  RangeSearchResult range_search(MatrixView<float> queries, float radius,
                                 const RangeSearchOptions& options) const;

  /// Whether it is a collection whose ids are strings.
  bool has_keys() const { return has_keys_; }
  /// Requires has_keys().
  KeyedSearchResult search_keys(MatrixView<float> queries, const SearchOptions& options) const {
    return std::get<Collection>(what_).search_keys(queries, options);
  }
  KeyedRangeSearchResult range_search_keys(MatrixView<float> queries, float radius,
                                           const RangeSearchOptions& options) const {
    return std::get<Collection>(what_).range_search_keys(queries, radius, options);
  }

  /// Null where it is a collection.
  Index* index() { return std::get_if<Index>(&what_); }

 private:
  explicit Searched(Index index) : what_(std::move(index)), stats_(this->index()->stats()) {}
  explicit Searched(Collection collection);

  std::variant<Index, Collection> what_;
  IndexStats stats_;
  bool has_keys_ = false;
};

}  // namespace obliq::tools

// Search answers for people and for programs.
//
// A person sees a line for the query and one for each neighbour; a program one JSON object a query.
// Missing answers (id -1) are left out of both. Labels are optional UTF-8 texts of a set.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "obliq/index.h"

namespace obliq::tools {

struct Labels {
  std::span<const std::string> base;     ///< by id; empty: none
  std::span<const std::string> queries;  ///< by query; empty: none
  /// Ids that are strings, by place, [queries][k]; empty: ids are numbers.
  std::span<const std::string> keys = {};
};

/// The answers to one query.
struct Neighbours {
  std::size_t query = 0;
  std::span<const std::int64_t> ids;
  std::span<const float> distances;        ///< of each
  std::span<const std::string> keys = {};  ///< of each, where ids are strings
  const Columns* columns = nullptr;        ///< in which the values of the answers begin at a row
  std::size_t first_value = 0;             ///< that row
};
/// Views the result and the labels.
Neighbours neighbours_of(const SearchResult& result, std::size_t query, const Labels& labels);

/// {"query", "label", "ids", "distances", "labels", "columns"}; labels and columns only when there
/// are any, columns as columns_json has them.
nlohmann::ordered_json neighbours_json(const SearchResult& result, std::size_t query,
                                       const Labels& labels);
nlohmann::ordered_json neighbours_json(const Neighbours& found, const Labels& labels);

/// The query's line and a table of its first `k` neighbours: rank, id, distance, label, columns.
std::string neighbours_text(const SearchResult& result, std::size_t query, std::size_t k,
                            const Labels& labels);
std::string neighbours_text(const Neighbours& found, const Labels& labels);

/// {"lists", "entries", "refined", "exact", "end", "allowed", "method"}
nlohmann::ordered_json explanation_json(const SearchExplanation& work);
/// "12 lists and 3400 entries scanned, 210 rows refined, 0 raw vectors compared; ended by: nprobe",
/// under a filter with "; 120 vectors pass the filter, by direct" behind it.
std::string explanation_text(const SearchExplanation& work);

}  // namespace obliq::tools

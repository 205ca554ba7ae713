// Search answers for people and for programs.
//
// A person sees a line for the query and one for each neighbour; a program one JSON object a query.
// Missing answers (id -1) are left out of both. Labels are optional UTF-8 texts of a set.
#pragma once

#include <cstddef>
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

/// {"query", "label", "ids", "distances", "labels"}; the labels only when there are any.
nlohmann::ordered_json neighbours_json(const SearchResult& result, std::size_t query,
                                       const Labels& labels);

/// The query's line and a table of its first `k` neighbours: rank, id, distance, label.
std::string neighbours_text(const SearchResult& result, std::size_t query, std::size_t k,
                            const Labels& labels);

/// {"lists", "entries", "refined", "exact", "end"}
nlohmann::ordered_json explanation_json(const SearchExplanation& work);
/// "12 lists and 3400 entries scanned, 210 rows refined, 0 raw vectors compared; ended by: nprobe".
std::string explanation_text(const SearchExplanation& work);

}  // namespace obliq::tools

#include "tools/neighbours.h"

#include <fmt/core.h>

#include <algorithm>
#include <vector>

#include "tools/table.h"

namespace obliq::tools {
namespace {

constexpr std::size_t kLabelWidth = 72;

std::string label_of(std::span<const std::string> labels, std::int64_t id) {
  return id >= 0 && static_cast<std::size_t>(id) < labels.size()
             ? labels[static_cast<std::size_t>(id)]
             : std::string();
}

/// Answers come nearest first and missing ones last.
std::size_t answers(const SearchResult& result, std::size_t query) {
  const std::int64_t* ids = result.ids.row(query);
  return static_cast<std::size_t>(std::find(ids, ids + result.ids.cols, -1) - ids);
}

}  // namespace

nlohmann::ordered_json neighbours_json(const SearchResult& result, std::size_t query,
                                       const Labels& labels) {
  const std::size_t found = answers(result, query);
  const std::int64_t* ids = result.ids.row(query);
  const float* distances = result.distances.row(query);
  nlohmann::ordered_json json;
  json["query"] = query;
  if (!labels.queries.empty()) {
    json["label"] = label_of(labels.queries, static_cast<std::int64_t>(query));
  }
  if (labels.keys.empty()) {
    json["ids"] = std::vector<std::int64_t>(ids, ids + found);
  } else {
    const auto keys = labels.keys.subspan(query * result.ids.cols, found);
    json["ids"] = std::vector<std::string>(keys.begin(), keys.end());
  }
  json["distances"] = std::vector<float>(distances, distances + found);
  if (!labels.base.empty()) {
    json["labels"] = nlohmann::ordered_json::array();
    for (std::size_t i = 0; i < found; ++i) json["labels"].push_back(label_of(labels.base, ids[i]));
  }
  return json;
}

std::string neighbours_text(const SearchResult& result, std::size_t query, std::size_t k,
                            const Labels& labels) {
  std::vector<Column> columns = {{"rank"}, {"id"}, {"distance"}};
  if (!labels.keys.empty()) columns[1].align = Align::left;
  if (!labels.base.empty()) columns.push_back({"label", Align::left});
  Table table(columns);
  const std::size_t found = std::min(k, answers(result, query));
  for (std::size_t i = 0; i < found; ++i) {
    const std::int64_t id = result.ids.row(query)[i];
    const std::string id_text =
        labels.keys.empty() ? std::to_string(id) : labels.keys[query * result.ids.cols + i];
    std::vector<std::string> cells = {std::to_string(i + 1), id_text,
                                      fmt::format("{:.5g}", result.distances.row(query)[i])};
    if (!labels.base.empty()) cells.push_back(shorten(label_of(labels.base, id), kLabelWidth));
    table.add(cells);
  }
  std::string head = fmt::format("query {}", query);
  const std::string label = label_of(labels.queries, static_cast<std::int64_t>(query));
  if (!label.empty()) head += fmt::format(": {}", shorten(label, kLabelWidth));
  return head + "\n" + table.text();
}

nlohmann::ordered_json explanation_json(const SearchExplanation& work) {
  return {{"lists", work.lists},
          {"entries", work.entries},
          {"refined", work.refined},
          {"exact", work.exact},
          {"end", to_string(work.end)}};
}

std::string explanation_text(const SearchExplanation& work) {
  return fmt::format(
      "{} lists and {} entries scanned, {} rows refined, {} raw vectors compared; ended by: {}",
      work.lists, work.entries, work.refined, work.exact, to_string(work.end));
}

}  // namespace obliq::tools

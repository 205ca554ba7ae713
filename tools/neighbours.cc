#include "tools/neighbours.h"

#include <fmt/core.h>

#include <algorithm>
#include <vector>

#include "tools/column_values.h"
#include "tools/table.h"

namespace obliq::tools {
namespace {

constexpr std::size_t kLabelWidth = 72;
constexpr std::size_t kValueWidth = 40;

std::string label_of(std::span<const std::string> labels, std::int64_t id) {
  return id >= 0 && static_cast<std::size_t>(id) < labels.size()
             ? labels[static_cast<std::size_t>(id)]
             : std::string();
}

}  // namespace

Neighbours neighbours_of(const SearchResult& result, std::size_t query, const Labels& labels) {
  const std::size_t k = result.ids.cols;
  const std::int64_t* ids = result.ids.row(query);
  const auto found = static_cast<std::size_t>(std::find(ids, ids + k, -1) - ids);
  Neighbours answers{query, {ids, found}, {result.distances.row(query), found}};
  if (!labels.keys.empty()) answers.keys = labels.keys.subspan(query * k, found);
  answers.columns = &result.columns;
  answers.first_value = query * k;
  return answers;
}

nlohmann::ordered_json neighbours_json(const SearchResult& result, std::size_t query,
                                       const Labels& labels) {
  return neighbours_json(neighbours_of(result, query, labels), labels);
}

nlohmann::ordered_json neighbours_json(const Neighbours& found, const Labels& labels) {
  nlohmann::ordered_json json;
  json["query"] = found.query;
  if (!labels.queries.empty()) {
    json["label"] = label_of(labels.queries, static_cast<std::int64_t>(found.query));
  }
  if (labels.keys.empty()) {
    json["ids"] = std::vector<std::int64_t>(found.ids.begin(), found.ids.end());
  } else {
    json["ids"] = std::vector<std::string>(found.keys.begin(), found.keys.end());
  }
  json["distances"] = std::vector<float>(found.distances.begin(), found.distances.end());
  if (!labels.base.empty()) {
    json["labels"] = nlohmann::ordered_json::array();
    for (const std::int64_t id : found.ids) json["labels"].push_back(label_of(labels.base, id));
  }
  if (found.columns != nullptr && !found.columns->empty()) {
    json["columns"] = columns_json(*found.columns, found.first_value, found.ids.size());
  }
  return json;
}

std::string neighbours_text(const SearchResult& result, std::size_t query, std::size_t k,
                            const Labels& labels) {
  Neighbours found = neighbours_of(result, query, labels);
  found.ids = found.ids.first(std::min(k, found.ids.size()));
  return neighbours_text(found, labels);
}

std::string neighbours_text(const Neighbours& found, const Labels& labels) {
  const Columns none;
  const Columns& values = found.columns == nullptr ? none : *found.columns;
  std::vector<Column> columns = {{"rank"}, {"id"}, {"distance"}};
  if (!labels.keys.empty()) columns[1].align = Align::left;
  if (!labels.base.empty()) columns.push_back({"label", Align::left});
  for (const ColumnValues& column : values) columns.push_back({column.name(), Align::left});
  Table table(columns);
  for (std::size_t i = 0; i < found.ids.size(); ++i) {
    const std::int64_t id = found.ids[i];
    std::vector<std::string> cells = {std::to_string(i + 1),
                                      labels.keys.empty() ? std::to_string(id) : found.keys[i],
                                      fmt::format("{:.5g}", found.distances[i])};
    if (!labels.base.empty()) cells.push_back(shorten(label_of(labels.base, id), kLabelWidth));
    for (const ColumnValues& column : values) {
      cells.push_back(shorten(value_text(column, found.first_value + i), kValueWidth));
    }
    table.add(cells);
  }
  std::string head = fmt::format("query {}", found.query);
  const std::string label = label_of(labels.queries, static_cast<std::int64_t>(found.query));
  if (!label.empty()) head += fmt::format(": {}", shorten(label, kLabelWidth));
  return head + "\n" + table.text();
}

nlohmann::ordered_json explanation_json(const SearchExplanation& work) {
  return {{"lists", work.lists},
          {"entries", work.entries},
          {"refined", work.refined},
          {"exact", work.exact},
          {"end", to_string(work.end)},
          {"allowed", work.allowed},
          {"method", to_string(work.method)}};
}

std::string explanation_text(const SearchExplanation& work) {
  const bool is_filtered = work.method != SearchMethod::lists;
  return fmt::format(
      "{} lists and {} entries scanned, {} rows refined, {} raw vectors compared; ended by: {}{}",
      work.lists, work.entries, work.refined, work.exact, to_string(work.end),
      is_filtered
          ? fmt::format("; {} vectors pass the filter, by {}", work.allowed, to_string(work.method))
          : "");
}

}  // namespace obliq::tools

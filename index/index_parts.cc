// Columns are looked up by the slots of answers: nobody looks for ids twice.
#include "index/index_parts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <stdexcept>

#include "index/columns/joined_schema.h"
#include "index/segment/id_lookup.h"
#include "index/segment/slot_values.h"

namespace obliq {
namespace {

CollectionFacts with_schema(CollectionFacts facts, const SegmentSet& set) {
  if (facts.schema != nullptr) return facts;
  std::vector<NamedTable> tables;
  for (const Segment& segment : set.segments()) tables.push_back({segment.columns.get(), {}});
  facts.schema = std::make_shared<const ColumnSchema>(joined_schema(tables));
  return facts;
}

const ColumnSpec& find_column(const ColumnSchema& schema, const std::string& name) {
  const auto found = std::ranges::find(schema, name, &ColumnSpec::name);
  if (found != schema.end()) return *found;
  std::vector<std::string> names;
  for (const ColumnSpec& spec : schema) names.push_back(spec.name);
  throw std::invalid_argument(
      names.empty()
          ? fmt::format("there is no column '{}': there are no columns", name)
          : fmt::format("there is no column '{}': there are '{}'", name, fmt::join(names, "', '")));
}

}  // namespace

IndexParts::IndexParts(SegmentSet made, Tuning known, std::shared_ptr<SearchPools> shared_pools,
                       bool has_changed, CollectionFacts knows)
    : set(std::move(made)),
      facts(with_schema(std::move(knows), set)),
      pools(std::move(shared_pools)),
      planner(set, std::move(known), has_changed),
      searcher(set, pools),
      decoder(set) {}

Columns IndexParts::columns(std::span<const std::int64_t> slots,
                            std::span<const std::string> names) const {
  std::vector<std::uint32_t> rows;
  for (const std::int64_t slot : slots) {
    rows.push_back(slot < 0 ? kNoSlot : static_cast<std::uint32_t>(slot));
  }
  Columns all;
  if (names.empty()) {
    for (const ColumnSpec& spec : *facts.schema) all.push_back(values_of(set, spec, rows));
  }
  for (const std::string& name : names) {
    all.push_back(values_of(set, find_column(*facts.schema, name), rows));
  }
  return all;
}

}  // namespace obliq

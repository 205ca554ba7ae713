// The segments' rows are searched as one index (index/search), which leaves deleted rows out. Ids
// are looked up from the newest part to the oldest: the newest hold what changes most.
#include "collection/snapshot.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <utility>

#include "index/columns/column_sections.h"
#include "index/segment/id_lookup.h"

namespace obliq {

std::size_t Part::bytes() const {
  return segment.blocks.size() + segment.spilled.size() + segment.rows.size() + segment.raw.size() +
         segment.ids.size_bytes() + segment.sorted_rows.size_bytes() + segment.lists.bytes() +
         column_bytes(segment.columns.get()) + (keys == nullptr ? 0 : keys->bytes());
}

SegmentSet set_of(std::shared_ptr<const TrainedModel> model, const std::vector<Part>& parts) {
  std::vector<Segment> segments;
  std::vector<std::shared_ptr<const RowBits>> deleted;
  segments.reserve(parts.size());
  deleted.reserve(parts.size());
  for (const Part& part : parts) {
    segments.push_back(part.segment);
    deleted.push_back(part.deleted);
  }
  return SegmentSet(std::move(model), std::move(segments), std::move(deleted));
}

Snapshot::Snapshot(ModelInUse model, std::vector<Part> parts, KnownTuning tuned,
                   std::uint64_t sequence, std::int64_t next_id,
                   std::shared_ptr<const ColumnSchema> schema)
    : used_(std::move(model)),
      parts_(std::move(parts)),
      tuned_(std::move(tuned)),
      sequence_(sequence),
      next_id_(next_id),
      schema_(std::move(schema)) {
  std::uint64_t rows = 0;
  for (const Part& part : parts_) rows += part.segment.info.rows;
  if (rows >= kNoSlot) {
    throw std::invalid_argument(fmt::format("{} vectors and deleted ones are too many", rows));
  }
  CollectionFacts facts = {schema_, {}};
  const bool has_keys =
      std::ranges::any_of(parts_, [](const Part& p) { return p.keys != nullptr; });
  if (has_keys) facts.slot_of_key = [this](std::string_view key) { return slot_of_key(key); };
  index_ = std::make_unique<Index>(IndexAccess::make(set_of(used_.model, parts_), tuned_.tuning,
                                                     used_.pools, tuned_.is_outdated(),
                                                     std::move(facts)));
}

std::size_t Snapshot::n() const {
  return index_ == nullptr ? 0 : IndexAccess::segments(*index_).n();
}

// No id was there that is not below next_id, unless that is the last of all.
std::optional<PartRow> Snapshot::find(std::int64_t id) const {
  if (id >= next_id_ && next_id_ != std::numeric_limits<std::int64_t>::max()) return {};
  for (std::size_t p = parts_.size(); p-- > 0;) {
    const std::uint32_t row = row_of(parts_[p].segment, id);
    if (row == kNoSlot) continue;
    if (parts_[p].deleted == nullptr || !parts_[p].deleted->has(row)) return PartRow{p, row};
  }
  return {};
}

bool Deletion::add(PartRow place) {
  Part& part = parts_[place.part];
  std::shared_ptr<RowBits>& own = own_[place.part];
  if (own == nullptr) {
    own = part.deleted == nullptr ? std::make_shared<RowBits>(part.segment.info.rows)
                                  : std::make_shared<RowBits>(*part.deleted);
    part.deleted = own;
  }
  return own->add(place.row);
}

}  // namespace obliq

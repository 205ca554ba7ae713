// What a search asks of all segments at once is counted when they come together.
#include "index/segment/segment_set.h"

#include <algorithm>
#include <utility>

#include "core/prefetch.h"

namespace obliq {

SegmentSet::SegmentSet(std::shared_ptr<const TrainedModel> model, std::vector<Segment> segments,
                       std::vector<std::shared_ptr<const RowBits>> deleted)
    : model_(std::move(model)),
      segments_(std::move(segments)),
      deleted_(std::move(deleted)),
      is_empty_(model_->nlist(), true) {
  std::uint32_t slots = 0;
  for (const Segment& segment : segments_) {
    first_slots_.push_back(slots);
    slots += static_cast<std::uint32_t>(segment.info.rows);
    n_ += segment.info.n;
    spilled_ += segment.info.spilled;
    block_bytes_ += segment.blocks.size();
    reads_ahead_ = reads_ahead_ || segment.reads_ahead;
    if (filled_ < is_empty_.size()) note_filled(segment.lists);
  }
  for (const auto& rows : deleted_) n_ -= rows == nullptr ? 0 : rows->count();
  first_slots_.push_back(slots);
  if (filled_ == is_empty_.size()) is_empty_.clear();
}

void SegmentSet::note_filled(const ListDirectory& lists) {
  for (std::size_t i = 0; i < lists.records().size(); ++i) {
    const std::uint32_t list = lists.list_of(i);
    if (lists.records()[i].count == 0 || !is_empty_[list]) continue;
    is_empty_[list] = false;
    ++filled_;
  }
}

SegmentSet::SegmentSet(std::shared_ptr<const TrainedModel> model)
    : model_(std::move(model)), first_slots_(1), filled_(model_->nlist()) {}

std::size_t SegmentSet::segment_of(std::uint32_t slot) const {
  const auto after = std::upper_bound(first_slots_.begin(), first_slots_.end(), slot);
  return static_cast<std::size_t>(after - first_slots_.begin()) - 1;
}

std::int64_t SegmentSet::id(std::uint32_t slot) const {
  const std::size_t s = segment_of(slot);
  return segments_[s].id(slot - first_slots_[s]);
}

void SegmentSet::fetch_id(std::uint32_t slot) const {
  const std::size_t s = segment_of(slot);
  const Segment& segment = segments_[s];
  const std::uint32_t row = slot - first_slots_[s];
  if (segment.info.has_ids != 0) {
    prefetch(&segment.ids[row], sizeof(std::int64_t));
  } else {
    prefetch(&segment.positions[row], sizeof(std::uint32_t));
  }
}

void SegmentSet::ask_for_ids(std::span<const std::int64_t> slots, ReadAhead& ahead) const {
  for (const std::int64_t slot : slots) {
    if (slot < 0) continue;
    const std::size_t s = segment_of(static_cast<std::uint32_t>(slot));
    const Segment& segment = segments_[s];
    const std::uint32_t row = static_cast<std::uint32_t>(slot) - first_slots_[s];
    if (segment.info.has_ids != 0) {
      ahead.add(&segment.ids[row], sizeof(std::int64_t));
    } else {
      ahead.add(&segment.positions[row], sizeof(std::uint32_t));
    }
  }
  ahead.submit();
}

std::uint64_t SegmentSet::entries(std::uint32_t list) const {
  std::uint64_t sum = 0;
  for (const Segment& segment : segments_) {
    const ListRecord* record = segment.lists.find(list);
    if (record != nullptr) sum += record->count;
  }
  return sum;
}

}  // namespace obliq

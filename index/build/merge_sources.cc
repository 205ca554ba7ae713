// In a list of a segment rows lie by rising id, so a list of several segments is a merge of sorted
// runs. Ids are compared over all segments only where their ranges meet.
#include "index/build/merge_sources.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <queue>
#include <stdexcept>
#include <utility>

#include "index/segment/row_decoder.h"

namespace obliq {
namespace {

struct ById {
  bool operator()(const SourceRow& a, const SourceRow& b) const { return a.id < b.id; }
  bool operator()(const SourceSpilled& a, const SourceSpilled& b) const {
    return a.row.id < b.row.id;
  }
};

// Sorts what is mostly a chain of sorted runs already.
template <typename T>
void sort_runs(std::vector<T>& items) {
  if (!std::is_sorted(items.begin(), items.end(), ById{})) {
    std::sort(items.begin(), items.end(), ById{});
  }
}

[[noreturn]] void refuse_row(const MergeSource& source, std::uint32_t list) {
  throw std::runtime_error(fmt::format(
      "{}: section 'spilled': an entry of list {} names no row of its primary list; the file is "
      "damaged",
      source.name, list));
}

// A model that has no learn queries does not tell of how many a truth is.
void check_truths(const std::vector<MergeSource>& sources) {
  const MergeSource* first = nullptr;
  for (const MergeSource& source : sources) {
    const std::size_t ids = source.segment.truth.ids.size();
    if (ids == 0) continue;
    if (first == nullptr) first = &source;
    const std::size_t others = first->segment.truth.ids.size();
    if (ids == others) continue;
    throw std::runtime_error(fmt::format(
        "{}: section 'truth.ids': neighbours of {} learn queries, of {} in {}; one of the files is "
        "damaged",
        source.name, ids / Truth::kNeighbours, others / Truth::kNeighbours, first->name));
  }
}

}  // namespace

MergeSources::MergeSources(const std::vector<MergeSource>& sources,
                           std::span<const std::int64_t> deleted, bool keep_last)
    : sources_(sources), has_ids_(check_models()) {
  check_truths(sources_);
  for (const MergeSource& source : sources_) {
    KeptRows& kept = kept_.emplace_back(source.segment.info.rows);
    if (source.deleted != nullptr)
      source.deleted->for_each([&](std::uint32_t row) { kept.drop(row); });
  }
  if (!deleted.empty()) drop_deleted(deleted);
  check_unique(keep_last);
  for (KeptRows& kept : kept_) kept.count();
}

// Returns whether ids were given.
bool MergeSources::check_models() const {
  const MergeSource* with_ids = nullptr;
  const MergeSource* without = nullptr;
  for (const MergeSource& source : sources_) {
    const SegmentInfo& info = source.segment.info;
    if (info.model != sources_.front().segment.info.model) {
      throw std::invalid_argument(fmt::format(
          "{} was encoded with the model {:016x}, {} with {:016x}: segments of one "
          "model are merged",
          source.name, info.model, sources_.front().name, sources_.front().segment.info.model));
    }
    if (info.rows == 0) continue;
    (info.has_ids != 0 ? with_ids : without) = &source;
  }
  if (with_ids == nullptr || without == nullptr) {
    return with_ids != nullptr;
  }
  throw std::invalid_argument(
      fmt::format("{} has ids, {} has positions: encode all with ids, or all without",
                  with_ids->name, without->name));
}

bool MergeSources::keeps_all() const {
  return std::all_of(kept_.begin(), kept_.end(), [](const KeptRows& k) { return k.keeps_all(); });
}

const ListRecord* MergeSources::own(std::size_t source, std::uint32_t list) const {
  const ListRecord* record = segment(source).lists.find(list);
  return record == nullptr || record->is_foreign() ? nullptr : record;
}

// One pass over all ids.
void MergeSources::drop_deleted(std::span<const std::int64_t> deleted) {
  std::vector<std::int64_t> sorted(deleted.begin(), deleted.end());
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t s = 0; s < sources_.size(); ++s) {
    for (std::uint32_t row = 0; row < segment(s).info.rows; ++row) {
      if (std::binary_search(sorted.begin(), sorted.end(), segment(s).id(row))) {
        kept_[s].drop(row);
      }
    }
  }
}

// Whether the ranges of the segments' own ids do not meet. In one segment no id comes twice.
bool MergeSources::ids_are_apart() const {
  std::vector<std::pair<std::int64_t, std::int64_t>> ranges;
  for (std::size_t s = 0; s < sources_.size(); ++s) {
    std::pair<std::int64_t, std::int64_t> range = {std::numeric_limits<std::int64_t>::max(),
                                                   std::numeric_limits<std::int64_t>::min()};
    for (std::size_t i = 0; i < segment(s).lists.records().size(); ++i) {
      const ListRecord& record = segment(s).lists.records()[i];
      if (record.primaries == 0 || record.is_foreign()) continue;
      range.first = std::min(range.first, segment(s).id(record.first_row));
      const std::uint32_t last = record.first_row + record.primaries - 1;
      range.second = std::max(range.second, segment(s).id(last));
    }
    if (range.first <= range.second) ranges.push_back(range);
  }
  std::sort(ranges.begin(), ranges.end());
  for (std::size_t i = 1; i < ranges.size(); ++i) {
    if (ranges[i].first <= ranges[i - 1].second) return false;
  }
  return true;
}

void MergeSources::refuse_twice(const SourceRow& first, const SourceRow& second) const {
  throw std::invalid_argument(
      fmt::format("the id {} is in {} and in {}: remove one of them, or let the last stand "
                  "with the option duplicates",
                  first.id, sources_[first.source].name, sources_[second.source].name));
}

void MergeSources::check_unique(bool keep_last) {
  if (ids_are_apart()) return;
  SourceRow before;
  bool any = false;
  std::vector<SourceRow> dropped;
  for_each_by_id([&](const SourceRow& row, std::uint32_t) {
    if (any && row.id == before.id) {
      if (!keep_last) refuse_twice(before, row);
      dropped.push_back(before.source < row.source ? before : row);
    }
    if (!any || row.id != before.id || row.source > before.source) before = row;
    any = true;
  });
  for (const SourceRow& row : dropped) kept_[row.source].drop(row.row);
}

std::uint32_t MergeSources::list_of(std::size_t source, std::uint32_t row) const {
  return segment(source).lists.list_of(primary_record_of(segment(source), row));
}

void MergeSources::for_each_by_id(
    const std::function<void(const SourceRow&, std::uint32_t)>& visit) const {
  const auto later = [](const SourceRow& a, const SourceRow& b) {
    return a.id != b.id ? a.id > b.id : a.source > b.source;
  };
  std::priority_queue<SourceRow, std::vector<SourceRow>, decltype(later)> next(later);
  std::vector<std::size_t> taken(size());
  std::vector<std::vector<std::uint32_t>> made(size());
  const auto sorted = [&](std::size_t s) -> std::span<const std::uint32_t> {
    return has_ids_ ? segment(s).sorted_rows : std::span<const std::uint32_t>(made[s]);
  };
  const auto push = [&](std::uint32_t s) {
    while (taken[s] < sorted(s).size()) {
      const std::uint32_t row = sorted(s)[taken[s]++];
      if (row >= segment(s).info.rows || !kept_[s].keeps(row)) continue;
      next.push({s, row, segment(s).id(row)});
      return;
    }
  };
  for (std::uint32_t s = 0; s < size(); ++s) {
    if (!has_ids_) made[s] = sorted_positions(s);
    push(s);
  }
  while (!next.empty()) {
    const SourceRow row = next.top();
    next.pop();
    visit(row, list_of(row.source, row.row));
    push(row.source);
  }
}

// The rows of a segment, foreign ones left out, by rising position.
std::vector<std::uint32_t> MergeSources::sorted_positions(std::size_t source) const {
  std::vector<std::uint32_t> rows;
  for (const ListRecord& record : segment(source).lists.records()) {
    for (std::uint32_t i = 0; i < record.primaries && !record.is_foreign(); ++i) {
      rows.push_back(record.first_row + i);
    }
  }
  const auto positions = segment(source).positions;
  std::sort(rows.begin(), rows.end(),
            [&](std::uint32_t a, std::uint32_t b) { return positions[a] < positions[b]; });
  return rows;
}

std::vector<bool> MergeSources::stored_lists() const {
  std::vector<bool> stored(sources_.empty() ? 0 : segment(0).model->nlist());
  for (std::size_t s = 0; s < size(); ++s) {
    const ListDirectory& lists = segment(s).lists;
    for (std::size_t i = 0; i < lists.records().size(); ++i) {
      if (lists.records()[i].stored() > 0) stored[lists.list_of(i)] = true;
    }
  }
  return stored;
}

void MergeSources::rows_of(std::uint32_t list, std::vector<SourceRow>& rows) const {
  rows.clear();
  for (std::uint32_t s = 0; s < size(); ++s) {
    const ListRecord* record = own(s, list);
    if (record == nullptr) continue;
    for (std::uint32_t i = 0; i < record->primaries; ++i) {
      const std::uint32_t row = record->first_row + i;
      if (kept_[s].keeps(row)) rows.push_back({s, row, segment(s).id(row)});
    }
  }
  sort_runs(rows);
}

void MergeSources::spilled_of(std::uint32_t list, std::vector<SourceSpilled>& spilled) const {
  spilled.clear();
  for (std::uint32_t s = 0; s < size(); ++s) {
    const ListRecord* record = own(s, list);
    if (record == nullptr) continue;
    for (std::uint32_t i = 0; i < record->spilled(); ++i) {
      const auto [row, primary] = segment(s).spilled_entry(record->first_spilled + i);
      const ListRecord* home =
          primary < segment(s).model->nlist() ? segment(s).lists.find(primary) : nullptr;
      if (home == nullptr || row - home->first_row >= home->primaries) {
        refuse_row(sources_[s], list);
      }
      if (!kept_[s].keeps(row)) continue;
      spilled.push_back({{s, row, segment(s).id(row)}, primary, record->primaries + i});
    }
  }
  sort_runs(spilled);
}

ListRecord MergeSources::sum_of(std::uint32_t list) const {
  ListRecord sum;
  for (std::uint32_t s = 0; s < size(); ++s) {
    const ListRecord* any = segment(s).lists.find(list);
    if (any == nullptr) continue;
    sum.scale_exponent = std::max(sum.scale_exponent, any->scale_exponent);
    sum.add_exponent = std::max(sum.add_exponent, any->add_exponent);
    sum.longest2 = std::max(sum.longest2, any->longest2);
    const ListRecord* record = own(s, list);
    if (record == nullptr) continue;
    const std::uint32_t rows =
        kept_[s].before(record->first_row + record->primaries) - kept_[s].before(record->first_row);
    sum.primaries += rows;
    sum.count += rows;
    if (kept_[s].keeps_all()) sum.count += record->spilled();
  }
  if (keeps_all()) return sum;
  std::vector<SourceSpilled> spilled;
  spilled_of(list, spilled);
  sum.count = sum.primaries + static_cast<std::uint32_t>(spilled.size());
  return sum;
}

std::uint32_t MergeSources::rank(std::uint32_t list, std::int64_t id) const {
  std::uint32_t sum = 0;
  for (std::uint32_t s = 0; s < size(); ++s) {
    const ListRecord* record = own(s, list);
    if (record == nullptr || record->primaries == 0) continue;
    std::uint32_t begin = record->first_row;
    std::uint32_t end = begin + record->primaries;
    const std::uint32_t first = begin;
    if (segment(s).id(end - 1) < id) begin = end;
    while (begin < end) {
      const std::uint32_t middle = begin + (end - begin) / 2;
      if (segment(s).id(middle) < id) {
        begin = middle + 1;
      } else {
        end = middle;
      }
    }
    sum += kept_[s].before(begin) - kept_[s].before(first);
  }
  return sum;
}

}  // namespace obliq

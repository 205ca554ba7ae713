// Stored factors are fp16 in units of the list, which are powers of two: as floats they are exact,
// and come out the same in any unit that holds them. A row's primary entry follows from its place
// in its list; its spilled one is found by going through those of the segment.
#include "index/build/copied_rows.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>
#include <vector>

#include "core/half.h"
#include "index/segment/entry_format.h"
#include "index/segment/raw_tier.h"
#include "index/segment/row_decoder.h"

namespace obliq {
namespace {

// A spilled entry, and whose it is.
struct FoundEntry {
  std::uint32_t owner;
  std::uint32_t list;
  std::uint64_t entry;
  const ListRecord* record;
  const Segment* segment;
};

class RowCopier {
 public:
  RowCopier(const TrainedModel& model, std::span<const CopiedRow> rows)
      : model_(model), dim_(model.dim()), rows_(rows) {}

  EncodedVectors copy();

 private:
  void copy_primary(const CopiedRow& from);
  void copy_spilled(const FoundEntry& found);
  void find_spilled(const Segment& segment, const std::vector<std::uint32_t>& owners);
  static void put_signs(std::span<const std::uint8_t> blocks, std::size_t dim, std::uint64_t entry,
                        std::vector<std::uint8_t>& signs);

  const TrainedModel& model_;
  const std::size_t dim_;
  const std::span<const CopiedRow> rows_;
  std::vector<FoundEntry> found_;
  EncodedVectors copied_;
};

void RowCopier::put_signs(std::span<const std::uint8_t> blocks, std::size_t dim,
                          std::uint64_t entry, std::vector<std::uint8_t>& signs) {
  signs.resize(signs.size() + plane_bytes(dim));
  read_entry_signs(blocks.data(), dim, entry, signs.data() + signs.size() - plane_bytes(dim));
}

void RowCopier::copy_primary(const CopiedRow& from) {
  const Segment& segment = *from.segment;
  const RowShape& shape = model_.row_shape;
  const std::size_t place = primary_record_of(segment, from.row);
  const ListRecord& list = segment.lists.records()[place];
  const std::uint64_t entry = primary_entry(list, from.row);
  const std::uint8_t* row = segment.rows.data() + from.row * shape.bytes();
  const EntryFactors factors = read_entry_factors(segment.blocks.data(), dim_, entry);
  EncodedNumbers numbers;
  numbers.entry_add = half_to_float(factors.add) * list.add_scale();
  numbers.entry_rescale = half_to_float(factors.rescale) * list.scale();
  numbers.row_add = read_row_add(shape, row, list.add_scale());
  numbers.factors = read_row_factors(shape, row, list.scale());
  numbers.r2 = list.longest2;
  copied_.primaries.lists.push_back(segment.lists.list_of(place));
  copied_.primaries.numbers.push_back(numbers);
  put_signs(segment.blocks, dim_, entry, copied_.primaries.signs);
  copied_.rows.insert(copied_.rows.end(), row, row + shape.rest);
  copied_.rows.resize(copied_.rows.size() + shape.bytes() - shape.rest);
  const std::size_t raw = raw_bytes(model_.raw_tier(), dim_);
  const std::uint8_t* exact = segment.raw.data() + from.row * raw;
  copied_.raw.insert(copied_.raw.end(), exact, exact + raw);
}

// f_rescale is at most |r|, and takes its place: it asks for no larger unit than |r| did.
void RowCopier::copy_spilled(const FoundEntry& found) {
  const auto blocks = found.segment->blocks;
  const EntryFactors factors = read_entry_factors(blocks.data(), dim_, found.entry);
  EncodedNumbers numbers;
  numbers.entry_add = half_to_float(factors.add) * found.record->add_scale();
  if (!std::isinf(numbers.entry_add)) {
    numbers.entry_rescale = half_to_float(factors.rescale) * found.record->scale();
    numbers.r2 = numbers.entry_rescale * numbers.entry_rescale;
  }
  copied_.owner.push_back(found.owner);
  copied_.spilled.lists.push_back(found.list);
  copied_.spilled.numbers.push_back(numbers);
  put_signs(blocks, dim_, found.entry, copied_.spilled.signs);
}

// `owners`: which of the rows to copy are of this segment, by rising row.
void RowCopier::find_spilled(const Segment& segment, const std::vector<std::uint32_t>& owners) {
  std::vector<bool> wanted(segment.info.rows);
  for (const std::uint32_t owner : owners) wanted[rows_[owner].row] = true;
  const auto records = segment.lists.records();
  for (std::size_t i = 0; i < records.size(); ++i) {
    const ListRecord& record = records[i];
    for (std::uint32_t s = 0; s < record.spilled(); ++s) {
      const std::uint32_t row = segment.spilled_entry(record.first_spilled + s).row;
      if (row >= wanted.size() || !wanted[row]) continue;
      const auto owner =
          std::lower_bound(owners.begin(), owners.end(), row,
                           [&](std::uint32_t o, std::uint32_t r) { return rows_[o].row < r; });
      found_.push_back({*owner, segment.lists.list_of(i), record.first + record.primaries + s,
                        &record, &segment});
    }
  }
}

EncodedVectors RowCopier::copy() {
  std::map<const Segment*, std::vector<std::uint32_t>> owners;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    copy_primary(rows_[i]);
    owners[rows_[i].segment].push_back(static_cast<std::uint32_t>(i));
  }
  for (auto& [segment, own] : owners) {
    if (segment->info.spilled == 0) continue;
    std::sort(own.begin(), own.end(),
              [&](std::uint32_t a, std::uint32_t b) { return rows_[a].row < rows_[b].row; });
    find_spilled(*segment, own);
  }
  std::sort(found_.begin(), found_.end(),
            [](const FoundEntry& a, const FoundEntry& b) { return a.owner < b.owner; });
  for (const FoundEntry& found : found_) copy_spilled(found);
  return std::move(copied_);
}

}  // namespace

EncodedVectors copy_rows(const TrainedModel& model, std::span<const CopiedRow> rows) {
  return RowCopier(model, rows).copy();
}

}  // namespace obliq

// Vectors are encoded in the order in which they come. Then the lists are counted and their units
// found, factors are written in these units, and rows, ids and raw vectors are put in the order of
// the lists in place.
#include "index/build/segment_encoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <utility>
#include <vector>

#include "core/permute.h"
#include "index/build/block_stream.h"
#include "index/build/encoded_vectors.h"
#include "index/build/list_order.h"
#include "index/build/list_units.h"
#include "index/build/truth.h"
#include "index/columns/arrange_columns.h"
#include "index/segment/raw_tier.h"

namespace obliq {
namespace {

/// The bytes behind the spans of a segment.
struct SegmentBytes {
  ListTable lists;
  std::vector<std::uint8_t> blocks, spilled, rows, raw;
  std::vector<std::int64_t> ids;
  std::vector<std::uint32_t> positions, sorted_rows;
  TruthBytes truth;
};

/// What came with the vectors.
struct GivenRows {
  MatrixView<std::int64_t> ids = {};
  std::uint64_t first = 0;
  std::span<const ColumnValues> columns = {};
  std::size_t first_value = 0;
};

class SegmentMaker {
 public:
  SegmentMaker(const std::shared_ptr<const TrainedModel>& model, EncodedVectors encoded,
               const GivenRows& given)
      : model_(model),
        given_(given),
        bytes_(std::make_shared<SegmentBytes>()),
        encoded_(std::move(encoded)) {}

  Segment make(TruthBytes truth);

 private:
  void order_entries();
  void count_lists();
  void write_rows();
  void write_blocks();
  void write_spilled_entries();
  void write_ids();
  void sort_ids();
  SegmentInfo info() const;

  const std::shared_ptr<const TrainedModel>& model_;
  const GivenRows given_;
  std::shared_ptr<SegmentBytes> bytes_;
  EncodedVectors encoded_;
  std::vector<std::uint32_t> order_;          // vectors in the order of their rows
  std::vector<std::uint32_t> spilled_order_;  // spilled entries in that of the lists
  std::vector<ListRecord> records_;
  std::uint64_t entries_ = 0;
};

void SegmentMaker::order_entries() {
  const std::span<const std::int64_t> ids(given_.ids.data, given_.ids.rows);
  const std::size_t nlist = model_->nlist();
  order_ = by_list_and_id(encoded_.primaries.lists, ids, nlist);
  std::vector<std::int64_t> spilled_ids;
  for (const std::uint32_t owner : encoded_.owner) {
    spilled_ids.push_back(ids.empty() ? owner : ids[owner]);
  }
  spilled_order_ = by_list_and_id(encoded_.spilled.lists, spilled_ids, nlist);
}

void SegmentMaker::count_lists() {
  records_.resize(model_->nlist());
  EncodedEntries& spilled = encoded_.spilled;
  for (std::size_t i = 0; i < order_.size(); ++i) {
    ListRecord& record = records_[encoded_.primaries.lists[i]];
    hold_primary(encoded_.primaries.numbers[i], record);
    ++record.primaries;
    ++record.count;
  }
  for (std::size_t i = 0; i < spilled.lists.size(); ++i) {
    const std::uint32_t list = spilled.lists[i];
    hold_spilled(unit_limits(*model_, list), spilled.numbers[i], records_[list]);
    ++records_[list].count;
  }
  entries_ = place_records(records_);
}

void SegmentMaker::write_rows() {
  const RowShape& shape = model_->row_shape;
  for (std::size_t i = 0; i < order_.size(); ++i) {
    write_row_factors(shape, encoded_.primaries.numbers[i], records_[encoded_.primaries.lists[i]],
                      encoded_.rows.data() + i * shape.bytes());
  }
  permute(encoded_.rows, shape.bytes(), order_);
  permute(encoded_.raw, raw_bytes(model_->raw_tier(), model_->dim()), order_);
  bytes_->rows = std::move(encoded_.rows);
  bytes_->raw = std::move(encoded_.raw);
}

void SegmentMaker::write_blocks() {
  const std::size_t dim = model_->dim();
  std::vector<std::uint8_t>& blocks = bytes_->blocks;
  blocks.reserve(entries_ / kBlockEntries * block_bytes(dim));
  BlockStream stream(dim, [&](std::span<const std::uint8_t> block) {
    blocks.insert(blocks.end(), block.begin(), block.end());
  });
  const auto put = [&](const EncodedEntries& entries, std::uint32_t item, std::uint64_t place) {
    stream.put(place, entries.signs.data() + item * plane_bytes(dim),
               entry_factors(entries.numbers[item], records_[entries.lists[item]]));
  };
  for (const std::uint32_t list : in_stream_order(records_)) {
    const ListRecord& record = records_[list];
    for (std::uint32_t i = 0; i < record.primaries; ++i) {
      put(encoded_.primaries, order_[record.first_row + i], record.first + i);
    }
    for (std::uint32_t i = 0; i < record.spilled(); ++i) {
      put(encoded_.spilled, spilled_order_[record.first_spilled + i],
          record.first + record.primaries + i);
    }
  }
  stream.finish(entries_);
}

void SegmentMaker::write_spilled_entries() {
  std::vector<std::uint32_t> row_of(order_.size());
  for (std::uint32_t row = 0; row < order_.size(); ++row) row_of[order_[row]] = row;
  const std::size_t nlist = model_->nlist();
  bytes_->spilled.resize(spilled_order_.size() * spilled_bytes(nlist));
  std::uint8_t* out = bytes_->spilled.data();
  for (const std::uint32_t item : spilled_order_) {
    const std::uint32_t owner = encoded_.owner[item];
    write_spilled({row_of[owner], encoded_.primaries.lists[owner]}, nlist, out);
    out += spilled_bytes(nlist);
  }
}

void SegmentMaker::write_ids() {
  if (given_.ids.rows == 0) {
    for (const std::uint32_t i : order_) {
      bytes_->positions.push_back(static_cast<std::uint32_t>(given_.first + i));
    }
    return;
  }
  for (const std::uint32_t i : order_) bytes_->ids.push_back(given_.ids.data[i]);
  sort_ids();
}

void SegmentMaker::sort_ids() {
  const std::vector<std::int64_t>& ids = bytes_->ids;
  std::vector<std::uint32_t>& sorted = bytes_->sorted_rows;
  sorted.resize(ids.size());
  std::iota(sorted.begin(), sorted.end(), 0U);
  std::sort(sorted.begin(), sorted.end(),
            [&](std::uint32_t a, std::uint32_t b) { return ids[a] < ids[b]; });
  for (std::size_t i = 1; i < sorted.size(); ++i) {
    if (ids[sorted[i]] != ids[sorted[i - 1]]) continue;
    const auto [first, second] = std::minmax(order_[sorted[i - 1]], order_[sorted[i]]);
    throw std::invalid_argument(
        fmt::format("rows {} and {} both have the id {}: give every vector an id of its own", first,
                    second, ids[sorted[i]]));
  }
}

SegmentInfo SegmentMaker::info() const {
  constexpr float kUnits = 0x1p20F;
  constexpr float kMost = 4096;
  SegmentInfo info;
  info.model = model_->info.id;
  info.n = info.rows = info.encoded = order_.size();
  info.entries = entries_;
  info.spilled = spilled_order_.size();
  info.end_list = static_cast<std::uint32_t>(model_->nlist());
  info.has_ids = given_.ids.rows > 0 ? 1 : 0;
  for (const EncodedNumbers& numbers : encoded_.primaries.numbers) {
    if (!(model_->info.mean_r2 > 0)) break;
    info.drift +=
        static_cast<std::uint64_t>(kUnits * std::min(numbers.r2 / model_->info.mean_r2, kMost));
  }
  return info;
}

Segment SegmentMaker::make(TruthBytes truth) {
  order_entries();
  count_lists();
  Segment segment;
  segment.model = model_;
  segment.info = info();
  write_rows();
  write_blocks();
  write_spilled_entries();
  write_ids();
  encoded_ = {};
  bytes_->lists = make_table(std::move(records_));
  bytes_->truth = std::move(truth);
  segment.lists = bytes_->lists.directory();
  segment.blocks = bytes_->blocks;
  segment.spilled = bytes_->spilled;
  segment.rows = bytes_->rows;
  segment.raw = bytes_->raw;
  segment.ids = bytes_->ids;
  segment.positions = bytes_->positions;
  segment.sorted_rows = bytes_->sorted_rows;
  segment.columns =
      arrange_columns(given_.columns, given_.first_value, order_, segment.lists.row_ends());
  segment.truth = bytes_->truth.view();
  segment.owner = bytes_;
  return segment;
}

}  // namespace

Segment encode_segment(const std::shared_ptr<const TrainedModel>& model, const EncodeInput& input) {
  EncodedVectors encoded;
  if (input.vectors.rows() > 0) encoded = VectorEncoder(*model).encode(input);
  TruthBytes truth;
  if (input.truth) truth = find_truth(*model, input);
  const GivenRows given = {input.ids, input.first, input.columns, input.first_value};
  return SegmentMaker(model, std::move(encoded), given).make(std::move(truth));
}

Segment arrange_segment(const std::shared_ptr<const TrainedModel>& model, EncodedVectors encoded,
                        MatrixView<std::int64_t> ids, std::span<const ColumnValues> columns) {
  return SegmentMaker(model, std::move(encoded), {ids, 0, columns, 0}).make({});
}

}  // namespace obliq

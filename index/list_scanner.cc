#include "index/list_scanner.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "index/prefetch.h"
#include "index/rough_quantile.h"
#include "quant/half.h"
#include "quant/kernels/dispatch.h"

namespace obliq {
namespace {

constexpr std::size_t kChunk = 512;  // entries scanned before their survivors are refined
constexpr std::size_t kBatch = 16;   // rows fetched ahead, and refined between looks at the k-th
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// b of an entry in units of its list: the length of its residual over sqrt(dim) cos(angle).
float entry_b(const std::uint8_t* blocks, std::size_t dim, std::uint64_t entry) {
  const std::uint8_t* block = blocks + entry / kBlockEntries * block_bytes(dim);
  const std::uint8_t* bs = block + 16 * sign_groups(dim) + 2 * kBlockEntries;
  std::uint16_t half = 0;
  std::memcpy(&half, bs + 2 * (entry % kBlockEntries), sizeof half);
  return half_to_float(half);
}

float degrees_of_freedom(std::size_t dim) {
  return static_cast<float>(std::max<std::size_t>(dim, 2) - 1);
}

}  // namespace

ListScanner::ListScanner(const Segment& segment, const Router& router)
    : segment_(segment),
      router_(router),
      dim_(segment.dim()),
      spilled_(segment.spilled > 0),
      weight_(product_weight(segment.metric())),
      entries_(kChunk + kBlockEntries),
      bounds_(kChunk + kBlockEntries),
      rows_(kChunk),
      refs_(kBatch),
      signs_(kBatch * plane_bytes(dim_)),
      products_(kBatch),
      raw_row_(dim_) {
  batch_.reserve(kBatch);
}

// Of a list that need not be probed.
const ListView& ListScanner::view_of_home(std::uint32_t list, SearchCounters& counters) {
  if (!spilled_) return view_;
  const ListView* known = query_->homes.find(list);
  if (known != nullptr) return *known;
  ++counters.homes;
  return query_->homes.insert(list, query_->view_of(router_.probe(query_->centroids, list)));
}

void ListScanner::scan(const Probe& probe, QueryState& query, SearchCounters& counters) {
  query_ = &query;
  list_ = probe.list;
  view_ = query.view_of(probe);
  const ListRecord& record = *view_.record;
  const bool prunes = std::isfinite(query_->plan.deviations);
  ScanList list = scan_list(record, segment_.blocks.data(), dim_, prunes ? view_.base : -kInfinity,
                            query_->slope, weight_);
  const float dim = static_cast<float>(dim_);
  const float spread =
      segment_.info.sine * view_.distance * std::sqrt(dim / degrees_of_freedom(dim_));
  query_->scan.set_shift(spread, prunes ? query_->plan.deviations : 0.0F, list);
  ++counters.lists;
  counters.entries += record.count;
  for (std::uint32_t done = 0; done < record.count; done += kChunk) {
    ScanList chunk = list;
    chunk.blocks += done / kBlockEntries * block_bytes(dim_);
    chunk.count = std::min<std::uint32_t>(kChunk, record.count - done);
    chunk_ = record.first + done;
    const std::size_t found = kernels().scan(
        query_->scan.lut(), dim_, chunk, query_->top.threshold(), entries_.data(), bounds_.data());
    counters.times.lap(Stage::scan);
    refine(found, counters);
    counters.times.lap(Stage::refine);
  }
}

// Before there are k answers everything survives: puts those with the least bounds first, so that
// refining them sets a threshold for the rest. Returns how many were put first.
std::size_t ListScanner::keep_best(std::size_t found) {
  const std::size_t wanted = 2 * query_->plan.k;
  if (found <= wanted) return found;
  const float limit = rough_quantile({bounds_.data(), found}, wanted);
  std::size_t first = 0;
  for (std::size_t i = 0; i < found; ++i) {
    if (bounds_[i] > limit) continue;
    std::swap(bounds_[i], bounds_[first]);
    std::swap(entries_[i], entries_[first]);
    ++first;
  }
  return first;
}

void ListScanner::refine(std::size_t found, SearchCounters& counters) {
  const std::size_t first = query_->top.full() ? 0 : keep_best(found);
  refine_range(0, first, counters);
  refine_range(first, found, counters);
}

// Rows are fetched a batch ahead of their use.
void ListScanner::refine_range(std::size_t begin, std::size_t end, SearchCounters& counters) {
  fetch_rows(begin, std::min(begin + kBatch, end));
  for (; begin < end; begin += kBatch) {
    const std::size_t middle = std::min(begin + kBatch, end);
    fetch_rows(middle, std::min(middle + kBatch, end));
    refine_batch(begin, middle, counters);
  }
}

const std::uint8_t* ListScanner::block_of(std::uint64_t entry) const {
  return segment_.blocks.data() + entry / kBlockEntries * block_bytes(dim_);
}

const std::uint8_t* ListScanner::row_at(std::uint32_t row) const {
  return segment_.rows.data() + row * segment_.row_shape.bytes();
}

void ListScanner::fetch_rows(std::size_t begin, std::size_t end) {
  const std::size_t bytes = segment_.row_shape.bytes();
  for (std::size_t i = begin; i < end; ++i) {
    if (!(bounds_[i] < query_->top.threshold())) continue;
    rows_[i] = entry_row(segment_.blocks.data(), dim_, chunk_ + entries_[i]);
    if (rows_[i] < segment_.info.n) prefetch(row_at(rows_[i]), bytes);
  }
}

// What refining a row needs of its home, while the rest of the batch is looked at.
void ListScanner::fetch_home(const RowHome& home) const {
  if (query_->homes.find(home.list) == nullptr) {
    prefetch(segment_.centroid(home.list), dim_);
    prefetch(&segment_.lists[home.list], sizeof(ListRecord));
  }
  if (segment_.row_shape.leads_with_signs) {
    prefetch(block_of(home.entry), 16 * sign_groups(dim_));
  }
}

// Those whose bound passes and which no other entry has brought before, with their homes.
void ListScanner::select_batch(std::size_t begin, std::size_t end) {
  batch_.clear();
  for (std::size_t i = begin; i < end; ++i) {
    // A damaged row number must not lead outside the rows, nor a damaged home outside the lists.
    if (!(bounds_[i] < query_->top.threshold()) || rows_[i] >= segment_.info.n) continue;
    RowHome home = {list_, chunk_ + entries_[i]};
    if (spilled_) {
      if (!query_->refined.insert(rows_[i])) continue;
      home = read_home(segment_.row_shape, row_at(rows_[i]));
      if (home.list >= segment_.lists.size() || home.entry >= segment_.info.entries) continue;
      fetch_home(home);
    }
    batch_.push_back({i, home});
  }
}

void ListScanner::refine_batch(std::size_t begin, std::size_t end, SearchCounters& counters) {
  const RowShape& shape = segment_.row_shape;
  select_batch(begin, end);
  for (std::size_t slot = 0; slot < batch_.size(); ++slot) {
    const auto& [survivor, home] = batch_[slot];
    const std::uint8_t* row = row_at(rows_[survivor]);
    std::uint8_t* signs = signs_.data() + slot * plane_bytes(dim_);
    if (shape.leads_with_signs) {
      kernels().gather_signs(block_of(home.entry),
                             static_cast<std::uint32_t>(home.entry % kBlockEntries), dim_, signs);
    }
    refs_[slot] = {signs, row, read_factors(shape, row, segment_.lists[home.list].scale)};
  }
  query_->scorer->products({refs_.data(), batch_.size()}, products_.data());
  counters.refined += batch_.size();
  for (std::size_t slot = 0; slot < batch_.size(); ++slot) {
    const ListView& home = view_of_home(batch_[slot].home.list, counters);
    const float bracket = read_bracket(shape, refs_[slot].rest, home.record->a_scale);
    offer(batch_[slot], home, home.base + query_->slope * (bracket - weight_ * products_[slot]),
          counters);
  }
}

// Standard deviation of a refined distance: |r||q-c| tan / sqrt(dim-1) of its row. A second entry
// tells its own |r|, which is no less than that at home.
float ListScanner::row_spread(const Candidate& candidate, const ListView& home) const {
  const float b = entry_b(segment_.blocks.data(), dim_, chunk_ + entries_[candidate.survivor]);
  const float cosine = std::sqrt(std::max(0.0F, 1 - segment_.info.sine * segment_.info.sine));
  const float length = b * view_.record->scale * std::sqrt(static_cast<float>(dim_)) * cosine;
  return query_->slope * weight_ * length * home.distance * segment_.info.row_tangent /
         std::sqrt(degrees_of_freedom(dim_));
}

void ListScanner::offer(const Candidate& candidate, const ListView& home, float distance,
                        SearchCounters& counters) {
  const std::uint32_t row = rows_[candidate.survivor];
  if (segment_.raw_tier() == RawTier::none) {
    query_->top.push(distance, row);
    return;
  }
  const bool prunes = std::isfinite(query_->plan.deviations);
  const float bound = distance - query_->plan.deviations * row_spread(candidate, home);
  if (prunes && !(bound < query_->top.threshold())) return;
  ++counters.exact;
  counters.times.lap(Stage::refine);
  query_->top.push(exact_distance(row), row);
  counters.times.lap(Stage::raw);
}

float ListScanner::exact_distance(std::uint32_t row) {
  const std::uint8_t* stored = segment_.raw.data() + row * raw_bytes(segment_.raw_tier(), dim_);
  const float* x = reinterpret_cast<const float*>(stored);
  if (segment_.raw_tier() == RawTier::fp16) {
    const auto* halves = reinterpret_cast<const std::uint16_t*>(stored);
    for (std::size_t i = 0; i < dim_; ++i) raw_row_[i] = half_to_float(halves[i]);
    x = raw_row_.data();
  }
  switch (segment_.metric()) {
    case Metric::l2:
      return kernels().l2_sqr(query_->raw_query.data(), x, dim_);
    case Metric::ip:
      return -kernels().dot(query_->raw_query.data(), x, dim_);
    case Metric::cosine:
      return 1 - kernels().dot(query_->raw_query.data(), x, dim_);
  }
  return kInfinity;
}

}  // namespace obliq

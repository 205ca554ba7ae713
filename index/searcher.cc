#include "index/searcher.h"

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

Searcher::Searcher(const Segment& segment)
    : segment_(segment),
      dim_(segment.dim()),
      spilled_(segment.spilled > 0),
      weight_(product_weight(segment.metric())),
      scan_(dim_),
      router_(segment),
      scorer_(segment.quantizer->make_scorer()),
      raw_query_(dim_),
      query_(dim_),
      views_(spilled_ ? segment.info.nlist : 0),
      entries_(kChunk + kBlockEntries),
      bounds_(kChunk + kBlockEntries),
      rows_(kChunk),
      refs_(kBatch),
      signs_(kBatch * plane_bytes(dim_)),
      products_(kBatch),
      raw_row_(dim_) {
  batch_.reserve(kBatch);
}

void Searcher::enter(const float* query) {
  std::copy_n(query, dim_, raw_query_.data());
  if (segment_.metric() == Metric::cosine) normalise(raw_query_.data(), dim_);
  std::copy_n(raw_query_.data(), dim_, query_.data());
  segment_.door->enter(query_.data());
  slope_ = 1;
  offset_ = 0;
  const float norm = std::sqrt(kernels().dot(raw_query_.data(), raw_query_.data(), dim_));
  if (segment_.metric() == Metric::cosine) {
    slope_ = 0.5F;
    offset_ = norm > 0 ? 0.0F : 0.5F;
  }
  if (segment_.metric() == Metric::ip && norm > 0) {
    const float stretch = segment_.info.typical_norm / norm;
    if (!std::isnormal(stretch)) return;
    for (float& value : query_) value *= stretch;
    slope_ = 1 / stretch;
  }
}

void Searcher::search(const float* query, const SearchPlan& plan, float* distances,
                      std::int64_t* rows, SearchCounters& counters) {
  counters.times.start();
  plan_ = plan;
  top_.reset(plan.k, plan.excluded);
  if (segment_.info.n > 0) {
    enter(query);
    scan_.set(query_.data());
    scorer_->set_query(query_.data());
    if (spilled_) start_homes();
    counters.times.lap(Stage::enter);
    if (plan.stop) {
      scan_until_stop(counters);
    } else {
      router_.route(query_.data(), scan_, plan.nprobe, probes_, counters);
      if (spilled_) {
        for (const Probe& probe : probes_) views_[probe.list] = view_of(probe);
      }
      for (const Probe& probe : probes_) scan_probe(probe, counters);
      if (plan.fills && !top_.full()) fill(counters);
    }
  }
  const auto& answers = top_.sorted();
  const bool can_be_negative = segment_.metric() == Metric::ip;
  for (std::size_t i = 0; i < plan.k; ++i) {
    const bool found = i < answers.size();
    distances[i] = found ? answers[i].first : kInfinity;
    if (!can_be_negative) distances[i] = std::max(distances[i], 0.0F);
    rows[i] = found ? static_cast<std::int64_t>(answers[i].second) : -1;
  }
  counters.times.lap(Stage::rest);
}

Searcher::View Searcher::view_of(const Probe& probe) const {
  return {&segment_.lists[probe.list], slope_ * probe.base + offset_, std::sqrt(probe.distance2),
          query_number_};
}

void Searcher::start_homes() {
  ++query_number_;
  refined_.clear();
}

// Of a list that need not be probed.
const Searcher::View& Searcher::view_of_home(std::uint32_t list, SearchCounters& counters) {
  if (!spilled_) return view_;
  View& view = views_[list];
  if (view.query == query_number_) return view;
  ++counters.centroids;
  return view = view_of(router_.exact(query_.data(), list));
}

// Starts again, and stops as soon as there are k answers.
void Searcher::fill(SearchCounters& counters) {
  top_.reset(plan_.k, plan_.excluded);
  if (spilled_) start_homes();
  plan_.nprobe = segment_.info.nlist;
  plan_.stop = kInfinity;
  scan_until_stop(counters);
}

void Searcher::scan_until_stop(SearchCounters& counters) {
  const StopScale scale(segment_.metric(), slope_, offset_,
                        kernels().dot(query_.data(), query_.data(), dim_),
                        segment_.info.typical_norm);
  const std::size_t most = std::min<std::size_t>(plan_.nprobe, segment_.info.nlist);
  const std::uint64_t before = counters.entries;
  std::size_t fell = 0;  // after how many lists the k-th distance fell last
  router_.start(query_.data(), scan_, counters);
  for (std::size_t lists = 1, check = 1; lists <= most; ++lists) {
    const float kth = top_.threshold();
    const Probe probe = router_.next(counters);
    if (spilled_) views_[probe.list] = view_of(probe);
    scan_probe(probe, counters);
    if (top_.threshold() < kth) fell = lists;
    if (lists < check && lists < most) continue;
    check = next_check(lists);
    const float now = score(lists, lists - fell, scale);
    if (plan_.observer != nullptr) {
      plan_.observer->check({lists, counters.entries - before, now, top_.answers()});
    }
    if (now < *plan_.stop) return;
    counters.times.lap(Stage::rest);
  }
}

float Searcher::score(std::size_t lists, std::size_t last, const StopScale& scale) const {
  if (lists < kFirstStop || !top_.full()) return kInfinity;
  const float next = scale.key(router_.mean_key_ahead(lists_ahead(lists)));
  return stop_score({lists, last, next, scale.distance(top_.threshold())});
}

void Searcher::scan_probe(const Probe& probe, SearchCounters& counters) {
  list_ = probe.list;
  view_ = view_of(probe);
  const ListRecord& record = *view_.record;
  const bool prunes = std::isfinite(plan_.deviations);
  ScanList list = scan_list(record, segment_.blocks.data(), dim_, prunes ? view_.base : -kInfinity,
                            slope_, weight_);
  const float dim = static_cast<float>(dim_);
  const float spread =
      segment_.info.sine * view_.distance * std::sqrt(dim / degrees_of_freedom(dim_));
  scan_.set_shift(spread, prunes ? plan_.deviations : 0.0F, list);
  ++counters.lists;
  counters.entries += record.count;
  for (std::uint32_t done = 0; done < record.count; done += kChunk) {
    ScanList chunk = list;
    chunk.blocks += done / kBlockEntries * block_bytes(dim_);
    chunk.count = std::min<std::uint32_t>(kChunk, record.count - done);
    chunk_ = record.first + done;
    const std::size_t found =
        kernels().scan(scan_.lut(), dim_, chunk, top_.threshold(), entries_.data(), bounds_.data());
    counters.times.lap(Stage::scan);
    refine(found, counters);
    counters.times.lap(Stage::refine);
  }
}

// Before there are k answers everything survives: puts those with the least bounds first, so that
// refining them sets a threshold for the rest. Returns how many were put first.
std::size_t Searcher::keep_best(std::size_t found) {
  const std::size_t wanted = 2 * plan_.k;
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

void Searcher::refine(std::size_t found, SearchCounters& counters) {
  const std::size_t first = top_.full() ? 0 : keep_best(found);
  refine_range(0, first, counters);
  refine_range(first, found, counters);
}

// Rows are fetched a batch ahead of their use.
void Searcher::refine_range(std::size_t begin, std::size_t end, SearchCounters& counters) {
  fetch_rows(begin, std::min(begin + kBatch, end));
  for (; begin < end; begin += kBatch) {
    const std::size_t middle = std::min(begin + kBatch, end);
    fetch_rows(middle, std::min(middle + kBatch, end));
    refine_batch(begin, middle, counters);
  }
}

const std::uint8_t* Searcher::block_of(std::uint64_t entry) const {
  return segment_.blocks.data() + entry / kBlockEntries * block_bytes(dim_);
}

const std::uint8_t* Searcher::row_at(std::uint32_t row) const {
  return segment_.rows.data() + row * segment_.row_shape.bytes();
}

void Searcher::fetch_rows(std::size_t begin, std::size_t end) {
  const std::size_t bytes = segment_.row_shape.bytes();
  for (std::size_t i = begin; i < end; ++i) {
    if (!(bounds_[i] < top_.threshold())) continue;
    rows_[i] = entry_row(segment_.blocks.data(), dim_, chunk_ + entries_[i]);
    if (rows_[i] < segment_.info.n) prefetch(row_at(rows_[i]), bytes);
  }
}

// What refining a row needs of its home, while the rest of the batch is looked at.
void Searcher::fetch_home(const RowHome& home) const {
  if (views_[home.list].query != query_number_) {
    prefetch(segment_.centroid(home.list), dim_ * sizeof(float));
  }
  if (segment_.row_shape.leads_with_signs) {
    prefetch(block_of(home.entry), 16 * sign_groups(dim_));
  }
}

// Those whose bound passes and which no other entry has brought before, with their homes.
void Searcher::select_batch(std::size_t begin, std::size_t end) {
  batch_.clear();
  for (std::size_t i = begin; i < end; ++i) {
    // A damaged row number must not lead outside the rows, nor a damaged home outside the lists.
    if (!(bounds_[i] < top_.threshold()) || rows_[i] >= segment_.info.n) continue;
    RowHome home = {list_, chunk_ + entries_[i]};
    if (spilled_) {
      if (!refined_.insert(rows_[i])) continue;
      home = read_home(segment_.row_shape, row_at(rows_[i]));
      if (home.list >= views_.size() || home.entry >= segment_.info.entries) continue;
      fetch_home(home);
    }
    batch_.push_back({i, home});
  }
}

void Searcher::refine_batch(std::size_t begin, std::size_t end, SearchCounters& counters) {
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
  scorer_->products({refs_.data(), batch_.size()}, products_.data());
  counters.refined += batch_.size();
  for (std::size_t slot = 0; slot < batch_.size(); ++slot) {
    const View& home = view_of_home(batch_[slot].home.list, counters);
    const float bracket = read_bracket(shape, refs_[slot].rest, home.record->a_scale);
    offer(batch_[slot], home, home.base + slope_ * (bracket - weight_ * products_[slot]), counters);
  }
}

// Standard deviation of a refined distance: |r||q-c| tan / sqrt(dim-1) of its row. A second entry
// tells its own |r|, which is no less than that at home.
float Searcher::row_spread(const Candidate& candidate, const View& home) const {
  const float b = entry_b(segment_.blocks.data(), dim_, chunk_ + entries_[candidate.survivor]);
  const float cosine = std::sqrt(std::max(0.0F, 1 - segment_.info.sine * segment_.info.sine));
  const float length = b * view_.record->scale * std::sqrt(static_cast<float>(dim_)) * cosine;
  return slope_ * weight_ * length * home.distance * segment_.info.row_tangent /
         std::sqrt(degrees_of_freedom(dim_));
}

void Searcher::offer(const Candidate& candidate, const View& home, float distance,
                     SearchCounters& counters) {
  const std::uint32_t row = rows_[candidate.survivor];
  if (segment_.raw_tier() == RawTier::none) {
    top_.push(distance, row);
    return;
  }
  const bool prunes = std::isfinite(plan_.deviations);
  const float bound = distance - plan_.deviations * row_spread(candidate, home);
  if (prunes && !(bound < top_.threshold())) return;
  ++counters.exact;
  counters.times.lap(Stage::refine);
  top_.push(exact_distance(row), row);
  counters.times.lap(Stage::raw);
}

float Searcher::exact_distance(std::uint32_t row) {
  const std::uint8_t* stored = segment_.raw.data() + row * raw_bytes(segment_.raw_tier(), dim_);
  const float* x = reinterpret_cast<const float*>(stored);
  if (segment_.raw_tier() == RawTier::fp16) {
    const auto* halves = reinterpret_cast<const std::uint16_t*>(stored);
    for (std::size_t i = 0; i < dim_; ++i) raw_row_[i] = half_to_float(halves[i]);
    x = raw_row_.data();
  }
  switch (segment_.metric()) {
    case Metric::l2:
      return kernels().l2_sqr(raw_query_.data(), x, dim_);
    case Metric::ip:
      return -kernels().dot(raw_query_.data(), x, dim_);
    case Metric::cosine:
      return 1 - kernels().dot(raw_query_.data(), x, dim_);
  }
  return kInfinity;
}

}  // namespace obliq

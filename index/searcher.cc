#include "index/searcher.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "index/coder.h"
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
      weight_(product_weight(segment.metric())),
      scan_(dim_),
      router_(segment),
      scorer_(segment.quantizer->make_scorer()),
      raw_query_(dim_),
      query_(dim_),
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
  plan_ = plan;
  top_.reset(plan.k);
  if (segment_.info.n > 0) {
    enter(query);
    scan_.set(query_.data());
    scorer_->set_query(query_.data());
    router_.route(query_.data(), scan_, plan.nprobe, probes_);
    for (const Probe& probe : probes_) scan_probe(probe, counters);
  }
  const auto& answers = top_.sorted();
  const bool can_be_negative = segment_.metric() == Metric::ip;
  for (std::size_t i = 0; i < plan.k; ++i) {
    const bool found = i < answers.size();
    distances[i] = found ? answers[i].first : kInfinity;
    if (!can_be_negative) distances[i] = std::max(distances[i], 0.0F);
    rows[i] = found ? static_cast<std::int64_t>(answers[i].second) : -1;
  }
}

void Searcher::scan_probe(const Probe& probe, SearchCounters& counters) {
  record_ = &segment_.lists[probe.list];
  base_ = slope_ * probe.base + offset_;
  distance_ = std::sqrt(probe.distance2);
  const bool prunes = std::isfinite(plan_.deviations);
  list_ = scan_list(*record_, segment_.blocks.data(), dim_, prunes ? base_ : -kInfinity, slope_,
                    weight_);
  const float dim = static_cast<float>(dim_);
  const float spread = segment_.info.sine * distance_ * std::sqrt(dim / degrees_of_freedom(dim_));
  scan_.set_shift(spread, prunes ? plan_.deviations : 0.0F, list_);
  ++counters.lists;
  counters.entries += record_->count;
  for (std::uint32_t done = 0; done < record_->count; done += kChunk) {
    ScanList chunk = list_;
    chunk.blocks += done / kBlockEntries * block_bytes(dim_);
    chunk.count = std::min<std::uint32_t>(kChunk, record_->count - done);
    chunk_ = record_->first + done;
    const std::size_t found =
        kernels().scan(scan_.lut(), dim_, chunk, top_.threshold(), entries_.data(), bounds_.data());
    refine(found, counters);
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

void Searcher::fetch_rows(std::size_t begin, std::size_t end) {
  const std::size_t bytes = segment_.row_shape.bytes();
  for (std::size_t i = begin; i < end; ++i) {
    if (!(bounds_[i] < top_.threshold())) continue;
    rows_[i] = entry_row(segment_.blocks.data(), dim_, chunk_ + entries_[i]);
    if (rows_[i] < segment_.info.n) prefetch(segment_.rows.data() + rows_[i] * bytes, bytes);
  }
}

void Searcher::refine_batch(std::size_t begin, std::size_t end, SearchCounters& counters) {
  const RowShape& shape = segment_.row_shape;
  batch_.clear();
  for (std::size_t i = begin; i < end; ++i) {
    // A damaged row number must not lead outside the rows.
    if (!(bounds_[i] < top_.threshold()) || rows_[i] >= segment_.info.n) continue;
    const std::size_t slot = batch_.size();
    const std::uint8_t* row = segment_.rows.data() + rows_[i] * shape.bytes();
    std::uint8_t* signs = signs_.data() + slot * plane_bytes(dim_);
    if (shape.leads_with_signs) {
      const std::uint64_t entry = chunk_ + entries_[i];
      kernels().gather_signs(segment_.blocks.data() + entry / kBlockEntries * block_bytes(dim_),
                             static_cast<std::uint32_t>(entry % kBlockEntries), dim_, signs);
    }
    refs_[slot] = {signs, row, read_factors(shape, row, record_->scale)};
    batch_.push_back(i);
  }
  scorer_->products({refs_.data(), batch_.size()}, products_.data());
  counters.refined += batch_.size();
  for (std::size_t slot = 0; slot < batch_.size(); ++slot) {
    const float bracket = read_bracket(shape, refs_[slot].rest, record_->a_scale);
    offer(batch_[slot], base_ + slope_ * (bracket - weight_ * products_[slot]), counters);
  }
}

// Standard deviation of a refined distance: |r||q-c| tan / sqrt(dim-1) of its row.
float Searcher::row_spread(std::size_t survivor) const {
  const float b = entry_b(segment_.blocks.data(), dim_, chunk_ + entries_[survivor]);
  const float cosine = std::sqrt(std::max(0.0F, 1 - segment_.info.sine * segment_.info.sine));
  const float length = b * record_->scale * std::sqrt(static_cast<float>(dim_)) * cosine;
  return slope_ * weight_ * length * distance_ * segment_.info.row_tangent /
         std::sqrt(degrees_of_freedom(dim_));
}

void Searcher::offer(std::size_t survivor, float distance, SearchCounters& counters) {
  if (segment_.raw_tier() == RawTier::none) {
    top_.push(distance, rows_[survivor]);
    return;
  }
  const bool prunes = std::isfinite(plan_.deviations);
  if (prunes && !(distance - plan_.deviations * row_spread(survivor) < top_.threshold())) return;
  ++counters.exact;
  top_.push(exact_distance(rows_[survivor]), rows_[survivor]);
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

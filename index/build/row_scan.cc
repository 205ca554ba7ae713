// A row is rounded to bytes with a step of its own. The scan of the bytes gives each pair a lower
// bound; the rows whose bound is below the least distance known are compared exactly, by the kernel
// of fixed order, so that the answer does not depend on the ISA.
#include "index/build/row_scan.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <unordered_set>

#include "core/kernels/dispatch.h"
#include "core/largest.h"
#include "index/segment/byte_panels.h"

namespace obliq {
namespace {

constexpr std::size_t kPanelsAtOnce = 4;  // 24 KB at dim 384: they stay in the first cache
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// One row as bytes.
struct ByteRow {
  float norm2 = 0;
  float length = 0;  // at least |row|
  float step = 0;    // row ~ step * bytes
  float error = 0;   // what products with it are off by, relative to the lengths, at the most
};

// |x - x^| / |x| makes the bound of Cauchy and Schwarz. A byte's error hardly knows where another
// row points, so that of a row whose coordinates are of a size, as rotated ones are, five standard
// deviations do: a miss in millions, by a hair.
float product_error(float relative, std::size_t dim) {
  constexpr float kDeviations = 5;
  constexpr float kEven = 0.02F;  // the largest coordinate is nine times the typical one
  if (relative > kEven) return relative;
  return relative * std::min(1.0F, kDeviations / std::sqrt(static_cast<float>(dim)));
}

// Writes `dim` bytes. `scratch`: dim floats.
ByteRow to_bytes(const float* x, std::size_t dim, float* scratch, std::int8_t* bytes) {
  const auto& kernel = kernels();
  ByteRow row;
  row.norm2 = std::min(kernel.dot(x, x, dim), std::numeric_limits<float>::max());
  const float largest = largest_size(x, dim);
  if (largest < 0x1p-50F) {  // its square may be nothing
    std::fill_n(bytes, dim, std::int8_t{0});
    row.length = largest * std::sqrt(static_cast<float>(dim));
    row.error = 1;
    return row;
  }
  row.length = std::sqrt(row.norm2);
  row.step = largest / 127;
  kernel.quantize_bytes(x, dim, 1 / row.step, bytes);
  for (std::size_t i = 0; i < dim; ++i) scratch[i] = row.step * static_cast<float>(bytes[i]);
  row.error = product_error(std::sqrt(kernel.l2_sqr(x, scratch, dim) / row.norm2), dim);
  return row;
}

// More than the relative rounding of a product or a squared distance of a fixed order, twice.
float rounding(std::size_t dim) { return static_cast<float>(dim / kLanes + 16) * 0x1p-22F; }

}  // namespace

std::vector<std::uint32_t> distinct_rows(MatrixView<float> rows) {
  const auto bytes_of = [&](std::uint32_t i) {
    return std::string_view(reinterpret_cast<const char*>(rows.row(i)), rows.cols * sizeof(float));
  };
  std::unordered_set<std::string_view> seen;
  std::vector<std::uint32_t> numbers;
  for (std::uint32_t i = 0; i < rows.rows; ++i) {
    if (seen.insert(bytes_of(i)).second) numbers.push_back(i);
  }
  return numbers;
}

RowPanels::RowPanels(MatrixView<float> rows, std::span<const std::uint32_t> numbers,
                     std::span<const std::uint32_t> section, std::size_t sections)
    : rows_(rows), first_panel_(sections + 1), groups_(sign_groups(rows.cols)) {
  const auto section_of = [&](std::uint32_t row) { return section.empty() ? 0 : section[row]; };
  std::vector<std::size_t> places(sections);  // first the counts
  for (const std::uint32_t row : numbers) ++places[section_of(row)];
  for (std::size_t s = 0; s < sections; ++s) {
    first_panel_[s + 1] = first_panel_[s] + panel_count(places[s]);
    places[s] = first_panel_[s] * kPanelRows;
  }
  const std::size_t room = first_panel_.back() * kPanelRows;
  numbers_.resize(room);
  bytes_ = zero_panels(room, rows.cols);
  norms_.assign(room, kInfinity);
  lengths_.assign(room, 0.0F);
  steps_.assign(room, 0.0F);
  std::vector<float> scratch(rows.cols);
  std::vector<std::int8_t> bytes(rows.cols);
  for (const std::uint32_t row : numbers) {
    write(row, places[section_of(row)]++, scratch.data(), bytes.data());
  }
}

void RowPanels::write(std::uint32_t row, std::size_t place, float* scratch, std::int8_t* bytes) {
  const ByteRow made = to_bytes(rows_.row(row), rows_.cols, scratch, bytes);
  numbers_[place] = row;
  norms_[place] = made.norm2 * (1 - rounding(rows_.cols));
  lengths_[place] = made.length;
  steps_[place] = made.step;
  if (made.step > 0) {
    error_ = std::max(error_, made.error);
  } else {  // a query's slack has at least a rounding in it
    lengths_[place] /= rounding(rows_.cols);
  }
  write_panel_row(bytes, rows_.cols, place, bytes_);
}

RowScan::RowScan(const RowPanels& all, MatrixView<float> x, std::size_t wanted, Nearest* nearest,
                 BoundedRow* some)
    : all_(all),
      x_(x),
      wanted_(wanted),
      nearest_(nearest),
      some_(some),
      norms_(x.rows),
      bytes_(x.rows * 4 * all.groups_),
      queries_(x.rows),
      limits_(x.rows, kInfinity),
      candidates_(x.rows) {
  if (nearest != nullptr) std::fill_n(nearest, x.rows, Nearest{0, kInfinity});
  std::fill_n(some, wanted * x.rows, BoundedRow{kInfinity, 0});
  std::vector<float> scratch(x.cols);
  for (std::size_t i = 0; i < x.rows; ++i) {
    std::int8_t* bytes = bytes_.data() + i * 4 * all.groups_;
    const ByteRow row = to_bytes(x.row(i), x.cols, scratch.data(), bytes);
    const float error = row.error + all.error_ + row.error * all.error_ + rounding(x.cols);
    norms_[i] = row.norm2;
    queries_[i] = {kInfinity, 2 * row.length * error, 2 * row.step, 0};
    for (std::size_t k = 0; k < x.cols; ++k) queries_[i].sum += bytes[k];
  }
}

RowScan::RowScan(const RowPanels& all, MatrixView<float> x, float margin)
    : RowScan(all, x, 0, nullptr, nullptr) {
  margin_ = margin;
}

void RowScan::compare(std::size_t i, std::uint32_t row) {
  const float distance2 = kernels().l2_sqr(x_.row(i), all_.rows_.row(row), x_.cols);
  Nearest& best = nearest_[i];
  if (distance2 > best.distance2 || (distance2 == best.distance2 && row > best.row)) return;
  best = {row, distance2};
}

// What the bound of a row at least as near as the nearest so far is below.
float RowScan::exact_threshold(std::size_t i) const {
  const float best = nearest_[i].distance2;
  const float slack = rounding(x_.cols) * (best + norms_[i]) + std::numeric_limits<float>::min();
  return (best - norms_[i]) + slack;
}

void RowScan::guess(const std::uint32_t* guesses) {
  for (std::size_t i = 0; i < x_.rows; ++i) {
    compare(i, guesses[i]);
    limits_[i] = queries_[i].threshold = exact_threshold(i);
  }
}

// Rows come in rising order, so that of equal bounds the smaller row stays in front. A bound may be
// no number, near the end of the floats.
void RowScan::keep(std::size_t i, BoundedRow row) {
  BoundedRow* end = some_ + (i + 1) * wanted_;
  if (!(row.first < end[-1].first)) return;
  BoundedRow* place =
      std::upper_bound(end - wanted_, end, row,
                       [](const BoundedRow& a, const BoundedRow& b) { return a.first < b.first; });
  std::move_backward(place, end - 1, end);
  *place = row;
}

// Notes rows to compare: those whose bound is below the least upper bound, which is as far above
// the estimate as the bound is below.
void RowScan::take(std::size_t i, std::span<const std::uint32_t> places,
                   std::span<const float> bounds) {
  if (margin_ >= 0) return take_within(i, places, bounds);
  float limit = limits_[i];
  for (std::size_t f = 0; f < places.size(); ++f) {
    const float upper = bounds[f] + 2 * queries_[i].slack * all_.lengths_[places[f]];
    const float slack = rounding(x_.cols) * (all_.norms_[places[f]] + norms_[i]);
    limit = std::min(limit, upper + 2 * slack);
  }
  limits_[i] = queries_[i].threshold = limit;
  for (std::size_t f = 0; f < places.size(); ++f) {
    if (wanted_ > 0) keep(i, {bounds[f], all_.numbers_[places[f]]});
    if (!(bounds[f] > limit)) candidates_[i].emplace_back(bounds[f], places[f]);
  }
  if (wanted_ == 0) return;
  queries_[i].threshold = std::max(limit, some_[(i + 1) * wanted_ - 1].first);
}

void RowScan::take_within(std::size_t i, std::span<const std::uint32_t> places,
                          std::span<const float> bounds) {
  for (std::size_t f = 0; f < places.size(); ++f) {
    limits_[i] = std::min(limits_[i], bounds[f]);
    candidates_[i].emplace_back(bounds[f], all_.numbers_[places[f]]);
  }
  // A rounding above, so that `within` decides alone.
  const float slack = (std::abs(limits_[i]) + margin_) * 0x1p-22F;
  queries_[i].threshold = limits_[i] + margin_ + slack;
}

std::vector<BoundedRow> RowScan::within(std::size_t i) const {
  std::vector<BoundedRow> rows;
  for (const BoundedRow& row : candidates_[i]) {
    if (row.first == limits_[i] || row.first - limits_[i] < margin_) rows.push_back(row);
  }
  if (rows.empty()) return {{kInfinity, all_.numbers_[0]}};  // bounds that are no numbers
  std::sort(rows.begin(), rows.end());
  return rows;
}

// The one of least bound first: it rules out most of the others.
void RowScan::compare_candidates(std::size_t i) {
  std::vector<BoundedRow>& candidates = candidates_[i];
  if (candidates.empty()) return;
  std::iter_swap(candidates.begin(), std::min_element(candidates.begin(), candidates.end()));
  float threshold = kInfinity;
  for (const auto& [bound, row] : candidates) {
    if (bound > threshold) continue;
    compare(i, all_.numbers_[row]);
    threshold = exact_threshold(i);
  }
}

/// Room for what the kernel finds in a few panels.
struct RowScan::Found {
  explicit Found(std::size_t groups)
      : x(kTile * 4 * groups), rows(kTile * kRoom), bounds(kTile * kRoom) {}

  static constexpr std::size_t kRoom = kPanelRows * kPanelsAtOnce;
  std::vector<std::int8_t> x;
  PanelQuery queries[kTile];
  std::vector<std::uint32_t> rows;
  std::vector<float> bounds;
  std::uint32_t counts[kTile];
};

void RowScan::scan_tile(std::size_t section, std::span<const std::uint32_t> numbers, Found& found) {
  const std::size_t row_bytes = 4 * all_.groups_;
  for (std::size_t t = 0; t < numbers.size(); ++t) {
    std::copy_n(bytes_.data() + numbers[t] * row_bytes, row_bytes, found.x.data() + t * row_bytes);
  }
  const std::size_t end = all_.first_panel_[section + 1];
  for (std::size_t p = all_.first_panel_[section]; p < end; p += kPanelsAtOnce) {
    const std::size_t first = p * kPanelRows;
    const BytePanels some = {all_.bytes_.data() + first * row_bytes, all_.norms_.data() + first,
                             all_.lengths_.data() + first, all_.steps_.data() + first,
                             std::min(kPanelsAtOnce, end - p)};
    for (std::size_t t = 0; t < numbers.size(); ++t) found.queries[t] = queries_[numbers[t]];
    kernels().scan_panels(found.x.data(), found.queries, numbers.size(), some, all_.groups_,
                          found.rows.data(), found.bounds.data(), found.counts);
    for (std::size_t t = 0; t < numbers.size(); ++t) {
      if (found.counts[t] == 0) continue;
      std::uint32_t* rows = found.rows.data() + t * kPanelRows * some.count;
      for (std::size_t f = 0; f < found.counts[t]; ++f)
        rows[f] += static_cast<std::uint32_t>(first);
      take(numbers[t], {rows, found.counts[t]},
           {found.bounds.data() + t * kPanelRows * some.count, found.counts[t]});
    }
  }
}

void RowScan::scan(std::size_t section, std::span<const std::uint32_t> numbers) {
  Found found(all_.groups_);
  for (std::size_t t = 0; t < numbers.size(); t += kTile) {
    scan_tile(section, numbers.subspan(t, std::min(kTile, numbers.size() - t)), found);
  }
}

void RowScan::finish() {
  for (std::size_t i = 0; i < x_.rows; ++i) compare_candidates(i);
}

}  // namespace obliq

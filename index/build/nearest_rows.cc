// A row is rounded to bytes with a step of its own. The scan of the bytes gives each pair a lower
// bound; the rows whose bound is below the least distance known are compared exactly, by the kernel
// of fixed order, so that the answer does not depend on the ISA.
#include "index/build/nearest_rows.h"

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

// The numbers of the rows that equal no row before them, rising.
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

// More than the relative rounding of a product or a squared distance of a fixed order, twice.
float rounding(std::size_t dim) { return static_cast<float>(dim / kLanes + 16) * 0x1p-22F; }

}  // namespace

NearestRows::NearestRows(MatrixView<float> rows)
    : rows_(rows), numbers_(distinct_rows(rows)), groups_(sign_groups(rows.cols)) {
  const std::size_t count = numbers_.size();
  bytes_ = zero_panels(count, rows.cols);
  norms_.assign(panel_count(count) * kPanelRows, kInfinity);
  lengths_.assign(norms_.size(), 0.0F);
  steps_.assign(norms_.size(), 0.0F);
  std::vector<float> scratch(rows.cols);
  std::vector<std::int8_t> row(rows.cols);
  for (std::size_t j = 0; j < count; ++j) {
    const ByteRow made = to_bytes(rows.row(numbers_[j]), rows.cols, scratch.data(), row.data());
    norms_[j] = made.norm2 * (1 - rounding(rows.cols));
    lengths_[j] = made.length;
    steps_[j] = made.step;
    if (made.step > 0) {
      error_ = std::max(error_, made.error);
    } else {  // a query's slack has at least a rounding in it
      lengths_[j] /= rounding(rows.cols);
    }
    write_panel_row(row.data(), rows.cols, j, bytes_);
  }
}

/// Some x on their way through the panels.
class NearestRows::Tile {
 public:
  Tile(const NearestRows& all, MatrixView<float> x, std::size_t wanted, Nearest* nearest,
       BoundedRow* some);

  void guess(const std::uint32_t* guesses);
  void scan();

 private:
  void take(std::size_t i, std::span<const std::uint32_t> found, std::span<const float> bounds);
  void compare(std::size_t i, std::uint32_t row);
  void compare_candidates(std::size_t i);
  void keep(std::size_t i, BoundedRow row);
  float exact_threshold(std::size_t i) const;

  const NearestRows& all_;
  MatrixView<float> x_;
  std::size_t wanted_;  // rows of least bound
  Nearest* nearest_;
  BoundedRow* some_;  // [x][wanted]
  std::vector<float> norms_;
  std::vector<std::int8_t> bytes_;
  std::vector<PanelQuery> queries_;
  std::vector<float> limits_;  // what the bound of the nearest does not exceed
  std::vector<std::vector<BoundedRow>> candidates_;
};

NearestRows::Tile::Tile(const NearestRows& all, MatrixView<float> x, std::size_t wanted,
                        Nearest* nearest, BoundedRow* some)
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
  std::fill_n(nearest, x.rows, Nearest{0, kInfinity});
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

void NearestRows::Tile::compare(std::size_t i, std::uint32_t row) {
  const float distance2 = kernels().l2_sqr(x_.row(i), all_.rows_.row(row), x_.cols);
  Nearest& best = nearest_[i];
  if (distance2 > best.distance2 || (distance2 == best.distance2 && row > best.row)) return;
  best = {row, distance2};
}

// What the bound of a row at least as near as the nearest so far is below.
float NearestRows::Tile::exact_threshold(std::size_t i) const {
  const float best = nearest_[i].distance2;
  const float slack = rounding(x_.cols) * (best + norms_[i]) + std::numeric_limits<float>::min();
  return (best - norms_[i]) + slack;
}

void NearestRows::Tile::guess(const std::uint32_t* guesses) {
  for (std::size_t i = 0; i < x_.rows; ++i) {
    compare(i, guesses[i]);
    limits_[i] = queries_[i].threshold = exact_threshold(i);
  }
}

// Rows come in rising order, so that of equal bounds the smaller row stays in front. A bound may be
// no number, near the end of the floats.
void NearestRows::Tile::keep(std::size_t i, BoundedRow row) {
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
void NearestRows::Tile::take(std::size_t i, std::span<const std::uint32_t> found,
                             std::span<const float> bounds) {
  float limit = limits_[i];
  for (std::size_t f = 0; f < found.size(); ++f) {
    const float upper = bounds[f] + 2 * queries_[i].slack * all_.lengths_[found[f]];
    const float slack = rounding(x_.cols) * (all_.norms_[found[f]] + norms_[i]);
    limit = std::min(limit, upper + 2 * slack);
  }
  limits_[i] = queries_[i].threshold = limit;
  for (std::size_t f = 0; f < found.size(); ++f) {
    if (wanted_ > 0) keep(i, {bounds[f], all_.numbers_[found[f]]});
    if (!(bounds[f] > limit)) candidates_[i].emplace_back(bounds[f], found[f]);
  }
  if (wanted_ == 0) return;
  queries_[i].threshold = std::max(limit, some_[(i + 1) * wanted_ - 1].first);
}

// The one of least bound first: it rules out most of the others.
void NearestRows::Tile::compare_candidates(std::size_t i) {
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

void NearestRows::Tile::scan() {
  constexpr std::size_t kRoom = kPanelRows * kPanelsAtOnce;
  const std::size_t panels = all_.norms_.size() / kPanelRows;
  std::vector<std::uint32_t> found(x_.rows * kRoom);
  std::vector<float> bounds(x_.rows * kRoom);
  std::vector<std::uint32_t> counts(x_.rows);
  for (std::size_t p = 0; p < panels; p += kPanelsAtOnce) {
    const std::size_t first = p * kPanelRows;
    const BytePanels some = {all_.bytes_.data() + first * 4 * all_.groups_,
                             all_.norms_.data() + first, all_.lengths_.data() + first,
                             all_.steps_.data() + first, std::min(kPanelsAtOnce, panels - p)};
    kernels().scan_panels(bytes_.data(), queries_.data(), x_.rows, some, all_.groups_, found.data(),
                          bounds.data(), counts.data());
    for (std::size_t i = 0; i < x_.rows; ++i) {
      if (counts[i] == 0) continue;
      std::uint32_t* rows = found.data() + i * kPanelRows * some.count;
      for (std::size_t f = 0; f < counts[i]; ++f) rows[f] += static_cast<std::uint32_t>(first);
      take(i, {rows, counts[i]}, {bounds.data() + i * kPanelRows * some.count, counts[i]});
    }
  }
  for (std::size_t i = 0; i < x_.rows; ++i) compare_candidates(i);
}

void NearestRows::search(MatrixView<float> x, const std::uint32_t* guesses,
                         Nearest* nearest) const {
  Tile tile(*this, x, 0, nearest, nullptr);
  if (guesses != nullptr) tile.guess(guesses);
  tile.scan();
}

void NearestRows::search_some(MatrixView<float> x, std::size_t count, Nearest* nearest,
                              BoundedRow* some) const {
  Tile(*this, x, count, nearest, some).scan();
}

}  // namespace obliq

// Rows as bytes, and the search for those near some x: what nearest_rows.h is made of. Rows lie in
// sections, each of which begins a panel of its own (segment/byte_panels.h); a scan takes one
// section for some of the x at a time. What becomes of an x depends on the order of its own
// sections alone, never on the other x beside it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "core/kernels/kernels.h"
#include "obliq/matrix_view.h"

namespace obliq {

struct Nearest {
  std::uint32_t row = 0;
  float distance2 = 0;  ///< by Kernels::l2_sqr
};

/// A row and the lower bound of its distance, less |x|^2; ordered by the bound.
using BoundedRow = std::pair<float, std::uint32_t>;

/// The numbers of the rows that equal no row before them, rising.
std::vector<std::uint32_t> distinct_rows(MatrixView<float> rows);

/// What rows look like as bytes.
class RowPanels {
 public:
  /// Holds the rows of these rising numbers, row i in section[i]; `section` empty: one section
  /// holds all. The rows must outlive this.
  RowPanels(MatrixView<float> rows, std::span<const std::uint32_t> numbers,
            std::span<const std::uint32_t> section, std::size_t sections);

  std::size_t sections() const { return first_panel_.size() - 1; }

 private:
  friend class RowScan;

  void write(std::uint32_t row, std::size_t place, float* scratch, std::int8_t* bytes);

  MatrixView<float> rows_;
  std::vector<std::size_t> first_panel_;  // of each section, and the end
  std::vector<std::uint32_t> numbers_;    // of the row at each place
  std::size_t groups_;                    // of four dims
  float error_ = 0;                       // R
  std::vector<std::uint8_t> bytes_;       // as in Kernels::scan_panels, like the three below
  std::vector<float> norms_;
  std::vector<float> lengths_;
  std::vector<float> steps_;
};

/// Some x on their way through the sections.
class RowScan {
 public:
  /// How many x go through a section at a time.
  static constexpr std::size_t kTile = 48;

  /// `nearest` [x.rows]; `some` [x.rows][wanted] gets the rows of least bound, rising, with the
  /// bound +infinity where there are fewer.
  RowScan(const RowPanels& all, MatrixView<float> x, std::size_t wanted, Nearest* nearest,
          BoundedRow* some);

  /// Notes all rows whose bound is less than `margin` above the least, for `within`.
  RowScan(const RowPanels& all, MatrixView<float> x, float margin);

  /// A row for each x near which the answer may be.
  void guess(const std::uint32_t* guesses);
  /// Notes what a section has for the x of these numbers.
  void scan(std::size_t section, std::span<const std::uint32_t> numbers);
  /// Compares what was noted exactly: `nearest` is there.
  void finish();
  /// The rows noted for x number i with their bounds, rising; one at least.
  std::vector<BoundedRow> within(std::size_t i) const;

 private:
  struct Found;

  void scan_tile(std::size_t section, std::span<const std::uint32_t> numbers, Found& found);
  void take(std::size_t i, std::span<const std::uint32_t> places, std::span<const float> bounds);
  void take_within(std::size_t i, std::span<const std::uint32_t> places,
                   std::span<const float> bounds);
  void compare(std::size_t i, std::uint32_t row);
  void compare_candidates(std::size_t i);
  void keep(std::size_t i, BoundedRow row);
  float exact_threshold(std::size_t i) const;

  const RowPanels& all_;
  MatrixView<float> x_;
  std::size_t wanted_;
  Nearest* nearest_;
  BoundedRow* some_;
  float margin_ = -1;  // negative: not used
  std::vector<float> norms_;
  std::vector<std::int8_t> bytes_;
  std::vector<PanelQuery> queries_;
  std::vector<float> limits_;  // what the bound of the nearest does not exceed; or the least bound
  std::vector<std::vector<BoundedRow>> candidates_;
};

}  // namespace obliq

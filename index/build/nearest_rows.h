// The nearest of some thousand rows c, by a scan of their bytes first. With x^ and c^ what is left
// of x and c in one byte per coordinate,
//
//     |x-c|^2 - |x|^2 = |c|^2 - 2<x,c>  >=  |c|^2 - 2<x^,c^> - 2|x||c|(e + E)
//
// where e and E bound how far x^ and any c^ take a product from the true one, relative to the
// lengths; second order and rounding are added. <x^,c^> is an integer product
// (Kernels::scan_panels), a quarter of the work of a float one. The few rows whose bound does not
// rule them out are compared exactly, so that the answer is that of comparing all but where a bound
// fails (row_scan.cc: one in millions), and the same on every ISA. Of equal rows only the first
// takes part: the others never win, and all of them would have to be compared exactly.
//
// Of very many rows, those of the groups near x may do (row_groups.h): groups are ranked by
// the bounds of their points, the means of their rows, and the answer is exact among the rows of
// those whose bound is less than a margin above the least.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "index/build/row_groups.h"
#include "index/build/row_scan.h"
#include "obliq/matrix_view.h"

namespace obliq {

/// Search from any number of threads. What is found for an x depends on that x and the rows alone.
class NearestRows {
 public:
  /// Requires one row or more, which must outlive this.
  explicit NearestRows(MatrixView<float> rows);
  /// Looks at the rows of near groups only, where groups.margin is finite.
  NearestRows(MatrixView<float> rows, const RowGroups& groups);

  NearestRows(const NearestRows&) = delete;
  NearestRows& operator=(const NearestRows&) = delete;

  /// How many of some x a thread best searches at a time.
  std::size_t grain(std::size_t x, int threads) const;

  /// Writes the nearest row of each x, ties to the smaller number. `guesses`, a row for each x near
  /// which the answer may be, save time; null: none. They are always looked at.
  void search(MatrixView<float> x, const std::uint32_t* guesses, Nearest* nearest) const;
  /// The same, and for each x the `count` rows of least bound, rising; where there are fewer
  /// different rows, those behind have the bound +infinity. With groups, rows of least bound among
  /// those that are looked at: all, where near groups have fewer than `count`.
  void search_some(MatrixView<float> x, std::size_t count, Nearest* nearest,
                   BoundedRow* some) const;
  /// The groups that are looked at for each x with their bounds, the nearest first. Requires
  /// groups.
  void rank_groups(MatrixView<float> x, std::vector<BoundedRow>* groups) const;

 private:
  static constexpr std::size_t kBatch = 1024;  // x that a group's rows meet at a time

  std::size_t batch() const { return is_grouped_ ? kBatch : RowScan::kTile; }
  void scan(MatrixView<float> x, std::size_t least, RowScan& scan) const;

  bool is_grouped_;                   // else all rows are looked at
  Matrix<float> points_;              // of the groups
  std::vector<std::uint32_t> sizes_;  // of the groups
  float margin_ = 0;
  RowPanels rows_;
  RowPanels groups_;
};

}  // namespace obliq

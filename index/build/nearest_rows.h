// The nearest of some thousand rows c, by a scan of their bytes first. With x^ and c^ what is left
// of x and c in one byte per coordinate,
//
//     |x-c|^2 - |x|^2 = |c|^2 - 2<x,c>  >=  |c|^2 - 2<x^,c^> - 2|x||c|(e + E)
//
// where e and E bound how far x^ and any c^ take a product from the true one, relative to the
// lengths; second order and rounding are added. <x^,c^> is an integer product
// (Kernels::scan_panels), a quarter of the work of a float one. The few rows whose bound does not
// rule them out are compared exactly, so that the answer is that of comparing all but where a bound
// fails (nearest_rows.cc: one in millions), and the same on every ISA. Of equal rows only the first
// takes part: the others never win, and all of them would have to be compared exactly.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "obliq/matrix_view.h"

namespace obliq {

struct Nearest {
  std::uint32_t row = 0;
  float distance2 = 0;  ///< by Kernels::l2_sqr
};

/// A row and the lower bound of its distance; ordered by the bound.
using BoundedRow = std::pair<float, std::uint32_t>;

/// What the rows look like as bytes. Search from any number of threads.
class NearestRows {
 public:
  /// How many x are best searched at a time.
  static constexpr std::size_t kTile = 48;

  /// Requires one row or more, which must outlive this.
  explicit NearestRows(MatrixView<float> rows);

  /// Writes the nearest row of each x, ties to the smaller number. `guesses`, a row for each x near
  /// which the answer may be, save time; null: none.
  void search(MatrixView<float> x, const std::uint32_t* guesses, Nearest* nearest) const;
  /// The same, and for each x the `count` rows of least bound, rising; where there are fewer
  /// different rows, those behind have the bound +infinity.
  void search_some(MatrixView<float> x, std::size_t count, Nearest* nearest,
                   BoundedRow* some) const;

 private:
  class Tile;

  MatrixView<float> rows_;
  std::vector<std::uint32_t> numbers_;  // of the distinct rows, rising; the first of equal ones
  std::size_t groups_;
  float error_ = 0;                  // R
  std::vector<std::uint8_t> bytes_;  // as in Kernels::scan_panels, like the three below
  std::vector<float> norms_;
  std::vector<float> lengths_;
  std::vector<float> steps_;
};

}  // namespace obliq

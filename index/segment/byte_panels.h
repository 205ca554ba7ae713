// Rows of bytes side by side, as Kernels::scan_panels reads them (BytePanels in
// core/kernels/kernels.h): 16 rows to a panel, four dims of each in turn,
//
//     [panels][groups of four dims][16 rows][4 dims]      a byte is the row's value + 128
//
// Bytes beyond the last row and dim are 128: zero.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/kernels/kernels.h"

namespace obliq {

constexpr std::size_t kPanelRows = 16;

inline std::size_t panel_count(std::size_t rows) { return (rows + kPanelRows - 1) / kPanelRows; }

/// Bytes of the panels of `rows` rows.
inline std::size_t panel_bytes(std::size_t rows, std::size_t dim) {
  return panel_count(rows) * kPanelRows * 4 * sign_groups(dim);
}

/// Panels of rows that are zero.
inline std::vector<std::uint8_t> zero_panels(std::size_t rows, std::size_t dim) {
  return std::vector<std::uint8_t>(panel_bytes(rows, dim), 128);
}

/// Writes row `j`.
inline void write_panel_row(const std::int8_t* row, std::size_t dim, std::size_t j,
                            std::vector<std::uint8_t>& panels) {
  std::uint8_t* panel = panels.data() + panel_bytes(j / kPanelRows * kPanelRows, dim);
  for (std::size_t i = 0; i < dim; ++i) {
    panel[(i / 4 * kPanelRows + j % kPanelRows) * 4 + i % 4] =
        static_cast<std::uint8_t>(row[i] + 128);
  }
}

}  // namespace obliq

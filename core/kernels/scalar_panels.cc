// The definition of scan_panels. A panel's 16 sums are kept together, so that a compiler for any
// machine may use vectors.
#include "core/kernels/kernels.h"

namespace obliq {
namespace {

constexpr std::size_t kPanelRows = 16;

void panel_products(const std::int8_t* x, const std::uint8_t* panel, std::size_t groups,
                    std::int32_t* sums) noexcept {
  for (std::size_t j = 0; j < kPanelRows; ++j) sums[j] = 0;
  for (std::size_t g = 0; g < groups; ++g) {
    for (std::size_t j = 0; j < kPanelRows; ++j) {
      const std::uint8_t* y = panel + (g * kPanelRows + j) * 4;
      for (std::size_t b = 0; b < 4; ++b) sums[j] += x[4 * g + b] * (y[b] - 128);
    }
  }
}

void scan_panels(const std::int8_t* x, const PanelQuery* queries, std::size_t nx,
                 const BytePanels& panels, std::size_t groups, std::uint32_t* found, float* bounds,
                 std::uint32_t* counts) noexcept {
  const std::size_t room = kPanelRows * panels.count;
  for (std::size_t i = 0; i < nx; ++i) {
    const PanelQuery& query = queries[i];
    std::uint32_t count = 0;
    std::int32_t sums[kPanelRows];
    for (std::size_t j = 0; j < room; ++j) {
      if (j % kPanelRows == 0) {
        panel_products(x + 4 * groups * i, panels.bytes + 4 * groups * j, groups, sums);
      }
      const float product =
          (query.step * panels.steps[j]) * static_cast<float>(sums[j % kPanelRows]);
      const float bound = (panels.norms[j] - query.slack * panels.lengths[j]) - product;
      if (bound >= query.threshold) continue;
      found[i * room + count] = static_cast<std::uint32_t>(j);
      bounds[i * room + count] = bound;
      ++count;
    }
    counts[i] = count;
  }
}

}  // namespace

void install_scalar_panels(Kernels& kernels) noexcept { kernels.scan_panels = scan_panels; }

}  // namespace obliq

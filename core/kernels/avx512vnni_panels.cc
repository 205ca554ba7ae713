// scan_panels on AVX-512 VNNI: VPDPBUSD multiplies the four bytes of a group of sixteen panel rows
// with those of x, broadcast, and adds them to sixteen sums. A tile of six rows and four panels
// keeps 24 of the 32 registers as sums. The panel's bytes are those of y plus 128, so that the sums
// are too large by 128 times the sum of x.
#include <immintrin.h>

#include "core/kernels/kernels.h"

namespace obliq {
namespace {

constexpr std::size_t kPanelRows = 16;

struct Scan {
  const BytePanels& panels;
  std::size_t groups;
  std::uint32_t* found;
  float* bounds;
  std::uint32_t* counts;
  std::size_t room;

  // Finds rows of panel p for row i.
  void filter(__m512i sums, const PanelQuery& query, std::size_t i, std::size_t p) const noexcept {
    const __m512i products = _mm512_sub_epi32(sums, _mm512_set1_epi32(128 * query.sum));
    const std::size_t j = kPanelRows * p;
    const __m512 step =
        _mm512_mul_ps(_mm512_set1_ps(query.step), _mm512_loadu_ps(panels.steps + j));
    const __m512 loose =
        _mm512_mul_ps(_mm512_set1_ps(query.slack), _mm512_loadu_ps(panels.lengths + j));
    const __m512 base = _mm512_sub_ps(_mm512_loadu_ps(panels.norms + j), loose);
    const __m512 bound = _mm512_sub_ps(base, _mm512_mul_ps(step, _mm512_cvtepi32_ps(products)));
    const __mmask16 near = _mm512_cmp_ps_mask(bound, _mm512_set1_ps(query.threshold), _CMP_NGE_UQ);
    if (near == 0) return;
    const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512i rows = _mm512_add_epi32(lanes, _mm512_set1_epi32(static_cast<int>(j)));
    const std::size_t at = i * room + counts[i];
    // All sixteen lanes fit the room: those of earlier panels are counted, this panel has sixteen.
    _mm512_storeu_si512(found + at, _mm512_maskz_compress_epi32(near, rows));
    _mm512_storeu_ps(bounds + at, _mm512_maskz_compress_ps(near, bound));
    counts[i] += static_cast<std::uint32_t>(__builtin_popcount(near));
  }

  template <std::size_t rows, std::size_t columns>
  void tile(const std::int8_t* x, const PanelQuery* queries, std::size_t i,
            std::size_t p) const noexcept {
    __m512i sums[rows][columns];
#pragma GCC unroll 6
    for (std::size_t r = 0; r < rows; ++r) {
#pragma GCC unroll 4
      for (std::size_t c = 0; c < columns; ++c) sums[r][c] = _mm512_setzero_si512();
    }
    const std::uint8_t* panel = panels.bytes + p * groups * 64;
    for (std::size_t g = 0; g < groups; ++g) {
      __m512i y[columns];
#pragma GCC unroll 4
      for (std::size_t c = 0; c < columns; ++c) {
        y[c] = _mm512_loadu_si512(panel + (c * groups + g) * 64);
      }
#pragma GCC unroll 6
      for (std::size_t r = 0; r < rows; ++r) {
        int group;
        __builtin_memcpy(&group, x + ((i + r) * groups + g) * 4, sizeof group);
        const __m512i bytes = _mm512_set1_epi32(group);
#pragma GCC unroll 4
        for (std::size_t c = 0; c < columns; ++c) {
          sums[r][c] = _mm512_dpbusd_epi32(sums[r][c], y[c], bytes);
        }
      }
    }
    // Kept apart from the sums, which else would live in memory all along.
    __m512i done[rows][columns];
#pragma GCC unroll 6
    for (std::size_t r = 0; r < rows; ++r) {
#pragma GCC unroll 4
      for (std::size_t c = 0; c < columns; ++c) done[r][c] = sums[r][c];
    }
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t c = 0; c < columns; ++c) filter(done[r][c], queries[i + r], i + r, p + c);
    }
  }

  template <std::size_t columns>
  void rows(const std::int8_t* x, const PanelQuery* queries, std::size_t nx,
            std::size_t p) const noexcept {
    std::size_t i = 0;
    for (; i + 6 <= nx; i += 6) tile<6, columns>(x, queries, i, p);
    for (; i < nx; ++i) tile<1, columns>(x, queries, i, p);
  }
};

void scan_panels(const std::int8_t* x, const PanelQuery* queries, std::size_t nx,
                 const BytePanels& panels, std::size_t groups, std::uint32_t* found, float* bounds,
                 std::uint32_t* counts) noexcept {
  for (std::size_t i = 0; i < nx; ++i) counts[i] = 0;
  const Scan scan = {panels, groups, found, bounds, counts, kPanelRows * panels.count};
  std::size_t p = 0;
  for (; p + 4 <= panels.count; p += 4) scan.rows<4>(x, queries, nx, p);
  for (; p < panels.count; ++p) scan.rows<1>(x, queries, nx, p);
}

}  // namespace

void install_avx512vnni_panels(Kernels& kernels) noexcept { kernels.scan_panels = scan_panels; }

}  // namespace obliq

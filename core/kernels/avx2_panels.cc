// scan_panels on AVX2: bytes become words, VPMADDWD multiplies them two by two. The four dims of a
// group of four panel rows fill a register; its eight sums are two for each row, which are added at
// the end.
#include <immintrin.h>

#include "core/kernels/kernels.h"

namespace obliq {
namespace {

constexpr std::size_t kPanelRows = 16;
constexpr std::size_t kQuarters = 4;  // of a panel, four rows each

struct Scan {
  const BytePanels& panels;
  std::size_t groups;
  std::uint32_t* found;
  float* bounds;
  std::uint32_t* counts;
  std::size_t room;

  // Finds those of rows j .. j + 7 of the panels for row i.
  void filter(__m256i sums, const PanelQuery& query, std::size_t i, std::size_t j) const noexcept {
    const __m256i products = _mm256_sub_epi32(sums, _mm256_set1_epi32(128 * query.sum));
    const __m256 step =
        _mm256_mul_ps(_mm256_set1_ps(query.step), _mm256_loadu_ps(panels.steps + j));
    const __m256 loose =
        _mm256_mul_ps(_mm256_set1_ps(query.slack), _mm256_loadu_ps(panels.lengths + j));
    const __m256 base = _mm256_sub_ps(_mm256_loadu_ps(panels.norms + j), loose);
    const __m256 bound = _mm256_sub_ps(base, _mm256_mul_ps(step, _mm256_cvtepi32_ps(products)));
    const __m256 near = _mm256_cmp_ps(bound, _mm256_set1_ps(query.threshold), _CMP_NGE_UQ);
    auto mask = static_cast<unsigned>(_mm256_movemask_ps(near));
    if (mask == 0) return;
    float all[8];
    _mm256_storeu_ps(all, bound);
    for (; mask != 0; mask &= mask - 1) {
      const auto lane = static_cast<unsigned>(__builtin_ctz(mask));
      const std::size_t at = i * room + counts[i]++;
      found[at] = static_cast<std::uint32_t>(j + lane);
      bounds[at] = all[lane];
    }
  }

  template <std::size_t rows>
  void tile(const std::int8_t* x, const PanelQuery* queries, std::size_t i,
            std::size_t p) const noexcept {
    __m256i sums[rows][kQuarters];
#pragma GCC unroll 2
    for (std::size_t r = 0; r < rows; ++r) {
#pragma GCC unroll 4
      for (std::size_t c = 0; c < kQuarters; ++c) sums[r][c] = _mm256_setzero_si256();
    }
    const std::uint8_t* panel = panels.bytes + p * groups * 64;
    for (std::size_t g = 0; g < groups; ++g) {
      __m256i bytes[rows];
#pragma GCC unroll 2
      for (std::size_t r = 0; r < rows; ++r) {
        int group;
        __builtin_memcpy(&group, x + ((i + r) * groups + g) * 4, sizeof group);
        bytes[r] = _mm256_broadcastq_epi64(_mm_cvtepi8_epi16(_mm_cvtsi32_si128(group)));
      }
#pragma GCC unroll 4
      for (std::size_t c = 0; c < kQuarters; ++c) {
        const __m256i y = _mm256_cvtepu8_epi16(
            _mm_loadu_si128(reinterpret_cast<const __m128i*>(panel + g * 64 + c * 16)));
#pragma GCC unroll 2
        for (std::size_t r = 0; r < rows; ++r) {
          sums[r][c] = _mm256_add_epi32(sums[r][c], _mm256_madd_epi16(y, bytes[r]));
        }
      }
    }
#pragma GCC unroll 2
    for (std::size_t r = 0; r < rows; ++r) {
#pragma GCC unroll 2
      for (std::size_t half = 0; half < 2; ++half) {
        // Within 128 bits rows 0 1 4 5 | 2 3 6 7; its qwords in the order 0 2 1 3 are rows 0 .. 7.
        const __m256i pairs = _mm256_hadd_epi32(sums[r][2 * half], sums[r][2 * half + 1]);
        filter(_mm256_permute4x64_epi64(pairs, 0xD8), queries[i + r], i + r,
               kPanelRows * p + 8 * half);
      }
    }
  }
};

void scan_panels(const std::int8_t* x, const PanelQuery* queries, std::size_t nx,
                 const BytePanels& panels, std::size_t groups, std::uint32_t* found, float* bounds,
                 std::uint32_t* counts) noexcept {
  for (std::size_t i = 0; i < nx; ++i) counts[i] = 0;
  const Scan scan = {panels, groups, found, bounds, counts, kPanelRows * panels.count};
  for (std::size_t p = 0; p < panels.count; ++p) {
    std::size_t i = 0;
    for (; i + 2 <= nx; i += 2) scan.tile<2>(x, queries, i, p);
    if (i < nx) scan.tile<1>(x, queries, i, p);
  }
}

}  // namespace

void install_avx2_panels(Kernels& kernels) noexcept { kernels.scan_panels = scan_panels; }

}  // namespace obliq

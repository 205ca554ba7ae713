// Rows are stored as given, but for cosine, which stores unit vectors; fp16 rounds to nearest.
#include "index/segment/raw_tier.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <vector>

#include "core/half.h"
#include "index/segment/segment.h"
#include "index/segment/vector_transform.h"

namespace obliq {

std::size_t raw_bytes(RawTier raw, std::size_t dim) {
  switch (raw) {
    case RawTier::none:
      return 0;
    case RawTier::fp16:
      return 2 * dim;
    case RawTier::fp32:
      return 4 * dim;
  }
  return 0;
}

void store_raw(MatrixView<float> vectors, Metric metric, RawTier raw, std::size_t first,
               std::span<std::uint8_t> out) {
  if (raw == RawTier::none) return;
  const std::size_t dim = vectors.cols;
  const std::size_t bytes = raw_bytes(raw, dim);
  std::vector<float> x(dim);
  for (std::size_t i = 0; i < vectors.rows; ++i) {
    std::copy_n(vectors.row(i), dim, x.data());
    if (metric == Metric::cosine) normalise(x.data(), dim);
    std::uint8_t* stored = out.data() + i * bytes;
    if (raw == RawTier::fp32) {
      std::memcpy(stored, x.data(), bytes);
      continue;
    }
    for (std::size_t j = 0; j < dim; ++j) {
      if (std::abs(x[j]) >= kMaxHalf) {
        throw std::invalid_argument(fmt::format(
            "base vector {} holds {} in column {}, too large for an fp16 raw tier; use fp32",
            first + i, x[j], j));
      }
      const std::uint16_t half = float_to_half(x[j]);
      std::memcpy(stored + 2 * j, &half, sizeof half);
    }
  }
}

const float* raw_row(const Segment& segment, std::size_t row, float* scratch) {
  const std::size_t dim = segment.dim();
  const std::uint8_t* stored = segment.raw.data() + row * raw_bytes(segment.raw_tier(), dim);
  if (segment.raw_tier() == RawTier::fp32) return reinterpret_cast<const float*>(stored);
  const auto* halves = reinterpret_cast<const std::uint16_t*>(stored);
  for (std::size_t i = 0; i < dim; ++i) scratch[i] = half_to_float(halves[i]);
  return scratch;
}

}  // namespace obliq

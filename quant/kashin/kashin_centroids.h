// The k-means centroids of Kashin factors (arXiv 2404.09737, section 4), shared by all vectors and
// dims: where u and v gather when Gaussian vectors of variance 1 are decomposed. Constants in units
// of kKashinUnit, so that every platform decodes alike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace obliq {

inline constexpr float kKashinUnit = 0x1p-10F;

/// Centroids (u[k], v[k]) of the pairs (u_i, v_i) of the greedy decomposition.
struct KashinPoints {
  std::span<const std::int16_t> u;
  std::span<const std::int16_t> v;
};

/// Half of the 2^bits centroids, 2 <= bits <= 8; the other half is their negatives.
KashinPoints kashin_points(std::size_t bits);

enum class KashinFactor { kU, kV };

/// The rising positive half of the 2^bits centroids of one factor of the alternating decomposition,
/// 1 <= bits <= 4; the other half is their negatives.
std::span<const std::int16_t> alternating_levels(KashinFactor factor, std::size_t bits);

}  // namespace obliq

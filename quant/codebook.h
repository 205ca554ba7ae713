// Lloyd-Max codebooks, computed: the levels, mostly 2^bits of them, that quantize one coordinate of
// a rotated vector with the least mean squared error D. Two laws, both symmetric with variance 1:
// the normal, and sqrt(dim) times a coordinate of a random direction in `dim` dimensions (arXiv
// 2504.19874, Lemma 1), which tends to the normal.
#pragma once

#include <cstddef>
#include <vector>

namespace obliq {

struct Codebook {
  std::vector<double> levels;      ///< rising, symmetric about 0
  std::vector<double> thresholds;  ///< midpoints of neighbouring levels, one less
  std::vector<double> masses;      ///< probability of each level
};

/// Requires 1 <= bits <= 8. Cost: microseconds (1 bit) to a millisecond (8 bits).
Codebook normal_codebook(std::size_t bits);

/// That of any number of levels, 1 <= count <= 256; an odd one has a level at 0.
Codebook normal_codebook_of(std::size_t count);

/// Requires 1 <= bits <= 8 and dim >= 1; dims below 3, whose law has no density that falls from the
/// centre, take that of dim 3 (uniform). Cost: dim/2 * 2^bits * 10 operations.
Codebook sphere_codebook(std::size_t bits, std::size_t dim);

/// The codebook for coordinates of random directions: sphere_codebook up to dim 1024, beyond which
/// the normal law raises D by less than .02 % and costs nothing to tabulate.
Codebook coordinate_codebook(std::size_t bits, std::size_t dim);

/// D = 1 - sum P_k c_k^2 of a codebook that is optimal for a law of variance 1.
double distortion(const Codebook& codebook);

/// Entropy of the level index, in bits.
double entropy(const Codebook& codebook);

/// E|u_1| for a random unit vector u of `dim` >= 1 dimensions: Gamma(d/2) / (sqrt(pi)
/// Gamma((d+1)/2)). Cost: dim/2 operations.
double mean_abs_coordinate(std::size_t dim);

}  // namespace obliq

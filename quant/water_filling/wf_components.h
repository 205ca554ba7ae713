// The components that a wf quantizer codes, and their training.
//
// State, little-endian: uint32 width, uint32 weighted (0 or 1), [width] uint8 N_i - 1, [width][dim]
// float s_i b_i, [width][dim] float a_i / s_i (wf.cc has the names).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "obliq/quantizer.h"

namespace obliq {

/// The components that have more than one level; row i of each matrix belongs to component i.
struct Components {
  std::vector<std::size_t> counts;  ///< levels, 2 to 256
  Matrix<float> synthesis;          ///< s_i b_i: a component of variance 1 back to x
  Matrix<float> analysis;           ///< a_i / s_i: x to components of variance 1
  bool weighted = false;            ///< made for a law of queries
};

/// allot_whole_bits or allot_levels of water_filling.h.
using Allot = std::vector<std::size_t> (*)(std::span<const double> variances, std::size_t bits);

/// The coordinates themselves, as if all had variance 1.
Components equal_components(std::size_t dim, std::size_t bits, Allot allot);

/// The principal components of the data's vectors; with queries, those in which the errors
/// <x - x^, q>^2 are least. None where there is nothing to learn: vectors all zero or beyond what
/// squares can hold. Cost: O(n dim^2) and about 10 dim^3.
Components learn_components(const TrainingData& data, std::size_t bits, Allot allot);

std::vector<std::uint8_t> to_state(const Components& components);

/// Throws std::invalid_argument unless `state` is one that to_state may have made for this dim.
Components from_state(std::span<const std::uint8_t> state, std::size_t dim);

}  // namespace obliq

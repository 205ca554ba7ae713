// Level indices for all bases of a dictionary together, so that x ~ sum_m B_m L_m[index].
//
// One sweep goes through the bases and chooses each anew, given the others: within an orthonormal
// basis the best choice is the nearest level to B_m^T r, r what the other bases leave of x, for all
// coordinates at once. Hard sweeps from nothing are residual coding first (basis 1 codes what basis
// 0 left) and then coordinate descent: no single index could be better when they end. A good end
// needs a gentle start, by graduated or by random choices in the sweeps before:
//
//     soft    steps between levels become ramps of `softness` times the cells, narrowing to 0: a
//             deterministic annealing that finds lower ends in 30 sweeps than noise in 100
//     noisy   a random number is added before the choice, shrinking to 0: with logistic numbers
//             this is the heat bath of a whole basis, simulated annealing; ours are triangular
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/kernels/kernels.h"
#include "quant/kashin/dictionary.h"

namespace obliq {

struct JointSchedule {
  std::size_t sweeps = 0;        ///< soft or noisy ones before the hard ones
  float softness = 0;            ///< at the first sweep, at most 1; proportional to the sweeps left
  float noise = 0;               ///< the largest random number, likewise
  std::size_t hard_sweeps = 40;  ///< at most, until nothing is gained; 1: residual coding
};

class JointEncoder {
 public:
  /// levels[m]: rising levels of basis m, 2 to 256 of them, for vectors of variance 1. `dictionary`
  /// must outlive the encoder.
  JointEncoder(const Dictionary& dictionary, const std::vector<std::vector<float>>& levels,
               const JointSchedule& schedule);

  /// Writes indices [bases][dim] for x. The same on every platform. Cost: a sweep applies every
  /// basis but the first twice; about 8 hard sweeps from nothing, 2 after others.
  void encode(const float* x, std::span<std::uint8_t> indices) const;

 private:
  // A level's cell and its ramps: between lower and upper the level is nearest; a gap is half the
  // distance to the neighbour. Outermost cells have no end and no gap.
  struct Cell {
    float level;
    float lower;
    float upper;
    float lower_gap;
    float upper_gap;
  };
  struct Block {
    std::vector<float> thresholds;
    std::vector<Cell> cells;
  };
  class Search;

  const Kernels& kernels_;
  const Dictionary& dictionary_;
  JointSchedule schedule_;
  std::vector<Block> blocks_;
};

}  // namespace obliq

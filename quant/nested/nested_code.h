// Nested-lattice (Voronoi) codes with several scales: NestQuant (arXiv 2502.09720), after "Optimal
// quantization for matrix multiplication" (arXiv 2410.13780). A vector is cut into lattice
// blocks of n coordinates, n the lattice's dimension; a block x, of variance 1 per coordinate, is
// coded at the scale beta_p by
//
//     t = the point of Lambda nearest to x / beta_p + z        index = label of t in Lambda/qLambda
//     f = the codeword of the index, in the cell of q*Lambda   x^ = beta_p f,   f + z = t
//                                                              unless t overloads
//
// with z = 0, or with :dither a fixed translate, which makes up for codewords that the boundary of
// the cell would waste at small q. In integers: the levels are B_p * r (f in units of Lambda's
// integers), with r = 1, or 2 with dither, and
//
//     beta_p = B_p r / (8 q),      x^ = levels / (8 q units)     for every p
//
// A code is the stream of indices, blocks * ceil(n log2 q) bits, the digits of a label in base q,
// the first the least; then the stream of scales, blocks * ceil(log2 k) bits; each in whole bytes.
// What the last block lacks of n coordinates counts as 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "quant/level_code.h"

namespace obliq {

enum class NestedLattice { e8, d4, z8 };

/// How the encoder decides on a block.
enum class ScaleChoice {
  drawn,  ///< as opt; where a scale overloads, x is also drawn towards 0 until it does not
  opt,    ///< Opt-beta: the scale of the least error
  first,  ///< First-beta: the smallest scale that does not overload, else the largest
};

struct NestedOptions {
  NestedLattice lattice = NestedLattice::e8;
  std::size_t q = 14;      ///< 2..16
  std::size_t scales = 4;  ///< k, 1..8
  ScaleChoice choice = ScaleChoice::drawn;
  bool dither = false;
};

class NestedCode : public LevelCode {
 public:
  using LevelCode::LevelCode;

  virtual const NestedOptions& options() const = 0;
  /// Coordinates of a lattice block.
  virtual std::size_t block() const = 0;
  std::size_t blocks() const { return (dim() + block() - 1) / block(); }
  /// Bits of a code for each coordinate of whole blocks.
  virtual double stored_bits() const = 0;

  /// Codes block `b` of a vector: finds the best code of target, block() floats of which those
  /// beyond dim are 0 and count for nothing, stores it in `code`, and returns the block() levels
  /// of it. Other blocks stay as they are.
  virtual void choose_block(std::size_t b, const float* target, std::uint8_t* code,
                            std::int16_t* levels) const = 0;

  /// The scale of block `b` in a code, 0..k-1.
  virtual std::size_t scale(const std::uint8_t* code, std::size_t b) const = 0;
};

std::unique_ptr<const NestedCode> make_nested_code(const NestedOptions& options, std::size_t dim);

/// log2 q + log2(k)/n, the rate of a code whose fields take no whole number of bits.
double fixed_bits(const NestedCode& code);

/// The entropy of a block's scale in bits, over the blocks of `codes`, code_bytes() each: with
/// scales entropy coded the rate is log2 q + scale_entropy/n.
double scale_entropy(const NestedCode& code, std::span<const std::uint8_t> codes);

/// B_1 <= ... <= B_k: nested_scales.cc.
std::vector<std::int16_t> nested_scales(const NestedOptions& options);

}  // namespace obliq

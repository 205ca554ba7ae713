// Quantizer interface: encode, decode and multiply, the same for every family of codes.
//
// A quantizer works on *rotated* vectors (see rotation.h): the random rotation makes every
// coordinate nearly Gaussian, so that the codebook need not know the data. It turns a vector x of
// `dim` floats into a code of bytes and a few floats, its factors. Code and factors stand for a
// vector x^, whose inner product with a query q is <x^, q>: linear in q, so that one prepared query
// serves every list of an index. A spec names the quantizer; E<x^,q> is over random rotations:
//
//     spec          what                                                       E<x^,q>
//     sq8           uniform int8, per-vector scale, rescaled                   <x,q>
//     lm1..lm8      Lloyd-Max levels, best input scale, rescaled               <x,q>
//       :query      the same code, chosen to fit training queries              see docs
//     tq1..tq8      TurboQuant_mse (arXiv 2504.19874, Algorithm 1)             (1-D_b)<x,q>
//     tq2.5, tq3.5  the same with outlier channels, which training finds       near that
//     tqp2..tqp8    TurboQuant_prod (Algorithm 2); :gaussian or :orthogonal    <x,q>
//     tcq1..tcq4    trellis-coded levels, rescaled                             <x,q>
//     e8q2..e8q16   nested lattices over E8 (arXiv 2502.09720), rescaled       <x,q>
//     d4q, z        the same over D4 and over the cube, for comparison         <x,q>
//     kashin2..8    levels in two or more bases (arXiv 2404.09737), rescaled   <x,q>
//     wf1..wf8      PCA and water-filling: the data-aware oracle               see docs
//
// A spec is <family><number>[:option]...; quantizer_grammar() lists all families and options.
// "Rescaled" is the factor S = |x|^2/<x,y> on the decoded code y, exactly unbiased over the
// rotation (RaBitQ, EDEN; docs/quantizers.md).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "obliq/export.h"
#include "obliq/matrix_view.h"

namespace obliq {

/// The most factors that a quantizer keeps per vector.
inline constexpr std::size_t kMaxFactors = 4;

/// The highest dim for quantizers that hold a matrix of dim x dim numbers, which takes them up to a
/// second to make and 270 MB: wf, tqp:gaussian and kashin:haar. kashin:dct and :signdct hold one of
/// the odd part of dim.
inline constexpr std::size_t kMostDenseDims = 4096;

/// Numbers kept with a code; only the first CodeLayout::factors are used.
using Factors = std::array<float, kMaxFactors>;

/// The shape of one vector's code.
struct CodeLayout {
  std::size_t code_bytes = 0;  ///< bytes of a self-contained code, without factors
  std::size_t factors = 0;     ///< numbers kept beside it (an index stores each as fp16)
  /// The first ceil(dim/8) bytes are the sign plane: bit j%8 of byte j/8 is 1 where x_j >= 0.
  /// An index keeps that plane in its scan blocks and the rest of the code in the row.
  bool leads_with_signs = false;
};

/// One stored vector, as a Scorer sees it.
struct CodeRef {
  const std::uint8_t* signs;  ///< sign plane; unused unless the layout leads with signs
  const std::uint8_t* rest;   ///< the code after the sign plane, or the whole code
  Factors factors;
};

/// A query rounded to integers, q ~ step * values, for products with vectors of bytes: 128 * sum
/// |values| stays below 2^31.
struct ByteQuery {
  std::span<const std::int16_t> values;  ///< [dim]
  float step = 0;
};

/// One query at a time against many codes. Used by one thread at a time; make one per thread.
class OBLIQ_API Scorer {
 public:
  virtual ~Scorer() = default;
  /// Takes the rotated query, `dim` finite floats. Cost: O(dim), or what the quantizer's query
  /// transform costs (tqp:gaussian O(dim^2)).
  virtual void set_query(const float* query) = 0;
  /// out[i] = <x^_i, q>. Requires set_query before and out to hold codes.size() floats.
  virtual void products(std::span<const CodeRef> codes, float* out) const = 0;
  /// The query as integers where the scorer multiplies it with bytes, for callers that do, too;
  /// valid until the next set_query. No values: it does not.
  virtual ByteQuery byte_query() const { return {}; }
};

class Quantizer;
using QuantizerPtr = std::unique_ptr<const Quantizer>;

/// What a data-aware quantizer learns from, in the rotated space of the vectors it will encode.
struct TrainingData {
  MatrixView<float> vectors;       ///< [n][dim], like those to encode
  MatrixView<float> queries = {};  ///< [m][dim], like those to multiply with; none: not known
  /// 0: as many as the process may use; what is learnt does not depend on it.
  int threads = 0;
};

/// A quantizer for rotated vectors of one dimension. Immutable: share it between threads.
class OBLIQ_API Quantizer {
 public:
  virtual ~Quantizer() = default;
  virtual std::string spec() const = 0;  ///< canonical, e.g. "tqp4:orthogonal"
  virtual std::size_t dim() const = 0;
  virtual double bits() const = 0;  ///< code bits per dimension, factors not counted
  virtual CodeLayout layout() const = 0;
  /// Encodes rotated x, dim finite floats (zero, tiny, huge are fine while |x|^2 is finite).
  /// Writes layout().code_bytes bytes and the factors, which fit fp16 where |x| is near 1.
  virtual void encode(const float* x, std::uint8_t* code, Factors& factors) const = 0;
  /// Encodes each row of x into codes [rows][code_bytes] and factors [rows]: the same codes as
  /// encode, faster where an encoder shares work between vectors.
  virtual void encode_batch(MatrixView<float> x, std::uint8_t* codes, Factors* factors) const;
  /// Writes x^, the vector whose inner products Scorer returns. Any code bytes are safe.
  virtual void decode(const std::uint8_t* code, const Factors& factors, float* x) const = 0;
  virtual std::unique_ptr<Scorer> make_scorer() const = 0;

  /// Whether train() has something to learn.
  virtual bool learns() const { return false; }
  /// A quantizer of the same spec that has learnt from `data`, of this dim; null unless learns().
  virtual QuantizerPtr train(const TrainingData& /*data*/) const { return nullptr; }
  /// The bytes that make_quantizer needs besides spec, dim and seed to make a quantizer that
  /// decodes the same codes. Empty where it needs none.
  virtual std::vector<std::uint8_t> state() const { return {}; }
  /// The same of what train() has taught the encoder alone, which decoding does not need; empty for
  /// most.
  virtual std::vector<std::uint8_t> encoder_state() const { return {}; }
  /// A quantizer whose encoder is that of `encoder_state`. Throws std::invalid_argument where that
  /// is of another size.
  virtual QuantizerPtr with_encoder(std::span<const std::uint8_t> encoder_state) const;
  /// The mean m of the training queries, [dim], where the encoder leaves <x - x^, m> out of its
  /// loss: the caller must then keep that number per vector and add it to products. Empty for all
  /// others.
  virtual std::span<const float> mean_query() const { return {}; }
};

/// Makes the quantizer that `spec` names. `seed` draws its random parts (a sketch, a basis): take
/// the seed of the rotation that its vectors went through. `state` is state() of a trained
/// quantizer of that spec, dim and seed; empty: not trained. Throws std::invalid_argument naming
/// the spec and the valid ones, the dim and the limit, or what is wrong with the state.
OBLIQ_API QuantizerPtr make_quantizer(std::string_view spec, std::size_t dim,
                                      std::uint64_t seed = 1,
                                      std::span<const std::uint8_t> state = {});

/// One spec for every family and number, and one for every option: enough to try everything.
OBLIQ_API std::vector<std::string> quantizer_specs();

/// Every family with its numbers and options, as in "tqp{2..8}[:orthogonal|:gaussian]".
OBLIQ_API std::vector<std::string> quantizer_grammar();

}  // namespace obliq

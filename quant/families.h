// The quantizers that the factory knows, one function each, defined in the file of its name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "obliq/quantizer.h"

namespace obliq {

/// What a family needs to make a quantizer. `bits` is within the range of its row in the factory.
struct QuantizerRequest {
  std::string spec;  ///< canonical
  std::size_t bits;
  std::size_t dim;
  std::uint64_t seed;
};

using QuantizerPtr = std::unique_ptr<const Quantizer>;

QuantizerPtr make_sq8(const QuantizerRequest& request);
QuantizerPtr make_lm(const QuantizerRequest& request);
QuantizerPtr make_tq(const QuantizerRequest& request);
QuantizerPtr make_tqp_orthogonal(const QuantizerRequest& request);
QuantizerPtr make_tqp_gaussian(const QuantizerRequest& request);

}  // namespace obliq

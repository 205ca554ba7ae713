// How fast a quantizer encodes and how fast its scorer multiplies, on one thread.
#pragma once

#include "obliq/quantizer.h"

namespace obliq::tools {

struct QuantizerSpeed {
  double encode_per_s = 0;    ///< vectors per second, the rotation not counted
  double products_per_s = 0;  ///< products of codes with a prepared query, per second
};

/// Measures on the rows of `rotated`, at least one, in time of this thread's CPU: medians of five
/// rounds, of about 50 ms each where the quantizer is no slower than 64 vectors in that time.
QuantizerSpeed measure_speed(const Quantizer& quantizer, MatrixView<float> rotated);

}  // namespace obliq::tools

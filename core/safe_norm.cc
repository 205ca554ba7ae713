#include "core/safe_norm.h"

#include <algorithm>
#include <cmath>

#include "core/kernels/dispatch.h"
#include "core/largest.h"

namespace obliq {

void normalise(float* x, std::size_t dim) {
  constexpr float kSmall = 0x1p-80F;
  constexpr float kLarge = 0x1p80F;
  float norm2 = kernels().dot(x, x, dim);
  if (!(norm2 > kSmall && norm2 < kLarge)) {
    const float largest = largest_size(x, dim);
    if (largest == 0) return;
    // A power of two, which rounds nothing, brings the squares into range.
    const float power = std::ldexp(1.0F, std::clamp(-std::ilogb(largest), -126, 126));
    for (std::size_t i = 0; i < dim; ++i) x[i] *= power;
    norm2 = kernels().dot(x, x, dim);
  }
  const float inverse = 1 / std::sqrt(norm2);
  for (std::size_t i = 0; i < dim; ++i) x[i] *= inverse;
}

}  // namespace obliq

// Unit vectors of any vector, tiny and huge ones too.
#pragma once

#include <cstddef>

namespace obliq {

/// x <- x / |x|, safe for tiny and huge x; a zero vector stays zero.
void normalise(float* x, std::size_t dim);

}  // namespace obliq

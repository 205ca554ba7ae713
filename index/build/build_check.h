// What a build refuses before it starts. Values of vectors are checked when they are read, what
// depends on the number of lists once that is known.
#pragma once

#include "obliq/index.h"

namespace obliq {

/// Throws std::invalid_argument as Index::build does.
void check_build(const VectorSource& base, const BuildOptions& options);

}  // namespace obliq

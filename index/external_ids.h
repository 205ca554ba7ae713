// Ids that callers give to vectors. Searches tell vectors apart by them and say -1 where they have
// no answer, so no two vectors may share one and none may have -1.
#pragma once

#include <cstdint>

#include "obliq/matrix_view.h"

namespace obliq {

/// Throws std::invalid_argument, naming the rows, when an id is -1 or comes twice. Cost: a sort,
/// and a copy of 8 bytes per id; one pass where ids rise.
void check_ids(MatrixView<std::int64_t> ids);

}  // namespace obliq

// How far groups of rows may be for the nearest row to be looked for in them (row_groups.h).
#pragma once

#include "index/build/row_groups.h"
#include "obliq/matrix_view.h"

namespace obliq {

/// The margin with which at most that share of x, about, gets another row than the nearest;
/// +infinity where more than .4 of the rows would be looked at, so that groups do not pay.
/// Does not depend on threads, nor on the ISA. Cost: x.rows * rows.rows * dim.
float learn_margin(MatrixView<float> rows, const RowGroups& groups, MatrixView<float> x,
                   double missed, int threads);

}  // namespace obliq

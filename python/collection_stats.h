// Statistics of a collection as Python's obliq.CollectionStats takes them.
#pragma once

#include <nanobind/nanobind.h>

#include "obliq/collection_stats.h"

namespace obliq::python {

namespace nb = nanobind;

nb::dict stats_dict(const CollectionStats& stats);

}  // namespace obliq::python

// Index.search for one query at a time, where a microsecond counts.
#pragma once

#include <nanobind/nanobind.h>

namespace obliq::python {

/// make_quick_search(ndarray, empty, float32, int64, SearchResult) -> quick_search(index, query, k,
/// nprobe, confidence, threads, target_recall): the result for one query, float32 [dim] or
/// [1][dim], contiguous; None for everything else, and where the search raises: Index.search then
/// tells why. And is_forked.
void bind_quick_search(nanobind::module_& module);

}  // namespace obliq::python

// The queries of a call, with the lists to visit where a caller names them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "index/search/search_plan.h"
#include "obliq/matrix_view.h"

namespace obliq {

struct QueryBatch {
  MatrixView<float> queries;
  MatrixView<std::uint32_t> lists = {};  ///< [queries][any number]; no columns: routing chooses
  MatrixView<float> within = {};         ///< [queries][1]: a plan's radius; no columns: none

  QueryBatch slice(std::size_t first, std::size_t count) const {
    const bool named = lists.cols > 0;
    return {queries.slice(first, count),
            named ? lists.slice(first, count) : MatrixView<std::uint32_t>{},
            within.cols > 0 ? within.slice(first, count) : MatrixView<float>{}};
  }
  /// The plan of query `i`, by that of all.
  SearchPlan plan_of(std::size_t i, const SearchPlan& plan) const {
    SearchPlan own = plan;
    if (lists.cols > 0) own.lists = {lists.row(i), lists.cols};
    if (within.cols > 0) own.radius = *within.row(i);
    return own;
  }
};

}  // namespace obliq

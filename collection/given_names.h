// What vectors that are added are called, by ids or by keys, and what comes with them.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "obliq/columns.h"
#include "obliq/matrix_view.h"

namespace obliq {

/// Neither: new ids.
struct GivenNames {
  MatrixView<std::int64_t> ids;                ///< [n][1]
  std::span<const std::string_view> keys;      ///< [n], where ids are strings
  bool replaces = false;                       ///< vectors that have them, which is no error then
  std::span<const ColumnValues> columns = {};  ///< [n] values each
};

}  // namespace obliq

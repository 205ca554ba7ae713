// What the opaque handles of the C interface are.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "obliq/c/collection.h"
#include "obliq/c/filter.h"
#include "obliq/c/index.h"
#include "obliq/c/model.h"
#include "obliq/c/quantizer.h"
#include "obliq/c/results.h"
#include "obliq/collection.h"
#include "obliq/columns.h"
#include "obliq/filter.h"
#include "obliq/index.h"
#include "obliq/model.h"
#include "obliq/quantizer.h"
#include "obliq/rotation.h"
#include "obliq/search_iterator.h"

struct obliq_columns {
  obliq::Columns columns;
};

struct obliq_params {
  std::vector<obliq::FilterValue> values;
};

struct obliq_filter {
  obliq::Filter filter;
};

struct obliq_index {
  obliq::Index index;
};

struct obliq_model {
  obliq::Model model;
};

struct obliq_collection {
  obliq::Collection collection;
};

struct obliq_iterator {
  obliq::SearchIterator iterator;
};

struct obliq_quantizer {
  std::uint64_t seed;
  std::unique_ptr<const obliq::Rotation> rotation;
  obliq::QuantizerPtr quantizer;
};

struct obliq_results {
  obliq::Matrix<float> distances;
  obliq::Matrix<std::int64_t> ids;
  obliq::Matrix<std::string> keys;  // instead of ids, where ids are strings
  obliq_columns columns;
  std::vector<obliq::SearchExplanation> explained;
};

struct obliq_range_results {
  std::vector<std::uint64_t> lims;
  std::vector<float> distances;
  std::vector<std::int64_t> ids;
  std::vector<std::string> keys;
  std::vector<std::uint8_t> cut;
  obliq_columns columns;
};

namespace obliq::capi {

/// Gives a handle of these parts to the caller, who frees it.
template <typename Handle, typename... Parts>
void give(Handle** out, Parts&&... parts) {
  *out = std::make_unique<Handle>(Handle{std::forward<Parts>(parts)...}).release();
}

/// The columns of a schema, none of which has a row.
inline Columns without_rows(const ColumnSchema& schema) {
  Columns columns;
  for (const ColumnSpec& spec : schema) columns.emplace_back(spec);
  return columns;
}

/// Takes a handle back. NULL is fine.
template <typename Handle>
void take_back(Handle* handle) noexcept {
  const std::unique_ptr<Handle> owned(handle);
}

}  // namespace obliq::capi

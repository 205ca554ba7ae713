// Whether a call failed since an id is not there: the library refuses those as it does every other
// mistake, and callers of C want to tell them apart.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>

#include "capi/guard.h"

namespace obliq::capi {

/// Throws std::invalid_argument where a caller's buffers have another dim.
inline void require_dim(std::size_t given, std::size_t dim) {
  if (given == dim) return;
  throw std::invalid_argument(fmt::format("dim is {}, and the vectors have {}", given, dim));
}

/// Runs a call about `ids` of an index or collection. Where it throws std::invalid_argument and one
/// of the ids is not there, throws StatusError with OBLIQ_NOT_FOUND and the same message instead.
template <typename Owner, typename Id, typename Call>
void find_or_tell(const Owner& owner, std::span<const Id> ids, const Call& call) {
  try {
    call();
  } catch (const std::invalid_argument& error) {
    for (const Id& id : ids) {
      if (!owner.contains(id)) throw StatusError(OBLIQ_NOT_FOUND, error.what());
    }
    throw;
  }
}

}  // namespace obliq::capi

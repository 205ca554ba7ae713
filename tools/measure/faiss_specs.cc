// Which FAISS indexes a comparison shows. PQ with m subquantizers of b bits spends m b / dim bits a
// dimension; m must divide dim.
#include <fmt/core.h>

#include "tools/measure/faiss_peer.h"

namespace obliq::tools {
namespace {

/// The largest divisor of `dim` that is at most `most`, and at least 1.
std::size_t divisor_below(std::size_t dim, std::size_t most) {
  for (std::size_t m = most; m > 1; --m) {
    if (dim % m == 0) return m;
  }
  return 1;
}

}  // namespace

std::vector<std::string> default_faiss_specs(std::size_t dim) {
  const std::size_t half = divisor_below(dim, dim / 2);
  return {"Flat", "SQ8", fmt::format("PQ{}x4fs", half), fmt::format("PQ{}x4fs", dim),
          fmt::format("PQ{}x4fs,Refine(SQ8)", half)};
}

}  // namespace obliq::tools

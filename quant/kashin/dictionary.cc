#include "quant/kashin/dictionary.h"

#include <algorithm>
#include <cassert>

#include "core/random.h"

namespace obliq {
namespace {

// Keeps the draws of the bases apart from those of the index's own rotation.
constexpr std::uint64_t kDictionaryStream = 0x4B617368696EULL;

}  // namespace

Dictionary::Dictionary(BasisKind kind, std::size_t dim, std::size_t bases, std::uint64_t seed)
    : dim_(dim) {
  assert(bases >= 1);
  std::uint64_t state = seed ^ kDictionaryStream;
  for (std::size_t m = 1; m < bases; ++m) {
    others_.push_back(make_basis(kind, dim, splitmix64(state)));
  }
}

void Dictionary::analyse(const float* x, float* out) const {
  for (std::size_t m = 0; m < bases(); ++m, out += dim_) {
    std::copy_n(x, dim_, out);
    apply_inverse(m, out);
  }
}

void Dictionary::synthesise(const float* y, float* x) const {
  std::copy_n(y, dim_, x);
  std::vector<float> part(dim_);
  for (std::size_t m = 1; m < bases(); ++m) {
    std::copy_n(y + m * dim_, dim_, part.data());
    apply(m, part.data());
    for (std::size_t i = 0; i < dim_; ++i) x[i] += part[i];
  }
}

}  // namespace obliq

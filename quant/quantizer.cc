// The factory: one row a family. A spec is <prefix><bits><suffix>; where two rows share prefix and
// bits, the suffix of the first may be left out.
#include "obliq/quantizer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <stdexcept>

#include "quant/families.h"

namespace obliq {
namespace {

struct Family {
  std::string_view prefix;
  std::size_t min_bits;
  std::size_t max_bits;
  std::string_view suffix;
  QuantizerPtr (*make)(const QuantizerRequest&);
};

constexpr Family kFamilies[] = {
    {"sq", 8, 8, "", make_sq8},
    {"lm", 1, 8, "", make_lm},
    {"tq", 1, 8, "", make_tq},
    {"tqp", 2, 8, ":orthogonal", make_tqp_orthogonal},
    {"tqp", 2, 8, ":gaussian", make_tqp_gaussian},
};

std::string spec_of(const Family& family, std::size_t bits) {
  return fmt::format("{}{}{}", family.prefix, bits, family.suffix);
}

}  // namespace

QuantizerPtr make_quantizer(std::string_view spec, std::size_t dim, std::uint64_t seed) {
  if (dim == 0) throw std::invalid_argument("a quantizer needs a dim of 1 or more, not 0");
  for (const Family& family : kFamilies) {
    for (std::size_t bits = family.min_bits; bits <= family.max_bits; ++bits) {
      const std::string canonical = spec_of(family, bits);
      const auto stem = std::string_view(canonical).substr(0, canonical.find(':'));
      if (spec == canonical || spec == stem) return family.make({canonical, bits, dim, seed});
    }
  }
  throw std::invalid_argument(fmt::format("unknown quantizer '{}'; valid are {}", spec,
                                          fmt::join(quantizer_specs(), ", ")));
}

std::vector<std::string> quantizer_specs() {
  std::vector<std::string> specs;
  for (const Family& family : kFamilies) {
    for (std::size_t bits = family.min_bits; bits <= family.max_bits; ++bits) {
      specs.push_back(spec_of(family, bits));
    }
  }
  return specs;
}

}  // namespace obliq

// e8q{q}, d4q{q}, z{q} for q = 2..16: nested-lattice codes over E8, D4 and the cube
// (nested_code.h), with :k1..:k8 scales per lattice block (4 if none is named), :opt or :first as
// published, and :dither, which some have always.
//
// The default draws blocks that a scale cannot reach towards 0 until it can. The decoder is that of
// the published codes; the error is less, for E8 by 6 % at q = 14, by a quarter at q = 2.
#include "quant/families.h"
#include "quant/nested/nested_points.h"
#include "quant/query_aware/query_quantizer.h"

namespace obliq {
namespace {

NestedOptions options_of(const QuantizerRequest& request, NestedLattice lattice) {
  NestedOptions options{.lattice = lattice, .q = request.count()};
  for (const std::string& option : request.options) {
    if (option.starts_with('k')) options.scales = static_cast<std::size_t>(option[1] - '0');
  }
  if (request.has("opt")) options.choice = ScaleChoice::opt;
  if (request.has("first")) options.choice = ScaleChoice::first;
  // At q = 2 only one of each pair of opposite codewords would exist, in the cube of even q one
  // level more on one side of 0 than on the other.
  const bool lopsided = lattice == NestedLattice::z8 ? options.q % 2 == 0 : options.q == 2;
  options.dither = lopsided || request.has("dither");
  return options;
}

QuantizerPtr make_plain(const QuantizerRequest& request, const NestedOptions& options) {
  auto code = make_nested_code(options, request.dim);
  const double whole = static_cast<double>(code->blocks() * code->block());
  const double bits = code->stored_bits() * whole / static_cast<double>(request.dim);
  return make_level_quantizer(request, bits, std::move(code));
}

template <NestedLattice lattice>
QueryParts make_parts(const QuantizerRequest& request) {
  const NestedOptions options = options_of(request, lattice);
  return {make_plain(request, options), std::make_unique<NestedPoints>(options, request.dim)};
}

template <NestedLattice lattice>
QuantizerPtr make_nested(const QuantizerRequest& request) {
  if (request.has("query")) return make_query_quantizer(request, make_parts<lattice>);
  return make_plain(request, options_of(request, lattice));
}

}  // namespace

QuantizerPtr make_e8q(const QuantizerRequest& request) {
  return make_nested<NestedLattice::e8>(request);
}

QuantizerPtr make_d4q(const QuantizerRequest& request) {
  return make_nested<NestedLattice::d4>(request);
}

QuantizerPtr make_z(const QuantizerRequest& request) {
  return make_nested<NestedLattice::z8>(request);
}

}  // namespace obliq

// The quantizers that the factory knows, one function each, defined in the file of its name in the
// folder of its family. A new quantizer adds its row here and one in quantizer.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "obliq/quantizer.h"

namespace obliq {

/// A spec taken apart. Number and options are among those of the family's row in the factory.
struct QuantizerRequest {
  std::string spec;  ///< canonical
  double number;     ///< bits, or what the family counts
  std::set<std::string, std::less<>> options;
  std::size_t dim;
  std::uint64_t seed;
  std::span<const std::uint8_t> state;  ///< of a trained quantizer; empty: untrained

  bool has(std::string_view option) const { return options.contains(option); }
  std::size_t count() const { return static_cast<std::size_t>(number); }  ///< a whole number
};

QuantizerPtr make_sq8(const QuantizerRequest& request);
QuantizerPtr make_lm(const QuantizerRequest& request);
QuantizerPtr make_lm_query(const QuantizerRequest& request);  // lm with :query or :query-beam
QuantizerPtr make_tq(const QuantizerRequest& request);
QuantizerPtr make_tq_split(const QuantizerRequest& request);  // tq2.5, tq3.5
QuantizerPtr make_tqp(const QuantizerRequest& request);
QuantizerPtr make_wf(const QuantizerRequest& request);
QuantizerPtr make_tcq(const QuantizerRequest& request);
QuantizerPtr make_e8q(const QuantizerRequest& request);
QuantizerPtr make_d4q(const QuantizerRequest& request);
QuantizerPtr make_z(const QuantizerRequest& request);
QuantizerPtr make_kashin(const QuantizerRequest& request);

}  // namespace obliq

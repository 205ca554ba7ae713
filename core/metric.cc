#include "obliq/metric.h"

#include <array>
#include <stdexcept>
#include <utility>

namespace obliq {
namespace {

// As sets of ann-benchmarks and VIBE have them besides; "normalized": the vectors are.
constexpr std::array<std::pair<std::string_view, Metric>, 5> kOtherNames = {{
    {"euclidean", Metric::l2},
    {"angular", Metric::cosine},
    {"normalized", Metric::cosine},
    {"dot", Metric::ip},
    {"inner_product", Metric::ip},
}};

}  // namespace

std::string to_string(Metric metric) {
  switch (metric) {
    case Metric::l2:
      return "l2";
    case Metric::ip:
      return "ip";
    case Metric::cosine:
      return "cosine";
  }
  throw std::invalid_argument("not a metric: " + std::to_string(static_cast<int>(metric)));
}

Metric parse_metric(std::string_view name) {
  for (const Metric metric : {Metric::l2, Metric::ip, Metric::cosine}) {
    if (name == to_string(metric)) return metric;
  }
  for (const auto& [other, metric] : kOtherNames) {
    if (name == other) return metric;
  }
  throw std::invalid_argument("unknown metric '" + std::string(name) + "'; valid: l2, ip, cosine");
}

}  // namespace obliq

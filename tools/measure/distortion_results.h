// What `obliq distortion` prints: a result for each spec, as a table and as JSON, and the limits
// of theory beside them.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "measure/distortion.h"
#include "tools/measure/quantizer_speed.h"

namespace obliq::tools {

struct DistortionResult {
  DistortionReport report;
  QuantizerSpeed speed;
};

/// What all results have in common.
struct DistortionSetting {
  std::string data;
  std::string queries;  ///< empty: none
  std::size_t dim = 0;
  std::size_t samples = 0;
  std::vector<double> rhos;
  std::vector<double> spectrum;  ///< eigenvalues of the queries' moment, mean 1; empty: none
};

/// The eigenvalues of a law's moment, falling, over their mean.
std::vector<double> spectrum_of(const QueryLaw& law);

nlohmann::ordered_json to_json(const DistortionResult& result, const DistortionSetting& setting);

std::string distortion_table(std::span<const DistortionResult> results,
                             const DistortionSetting& setting);

/// The curves to draw results against: {"limits": {"bits": [...], "shannon": [...], ...}}.
nlohmann::ordered_json limits_json(const DistortionSetting& setting);

}  // namespace obliq::tools

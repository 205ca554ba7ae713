// The presets: names for what most people want, so that nobody has to choose a quantizer first. And
// the one rule for what is built where a preset, a quantizer, both or nothing is named, by which
// the library, the command line and Python go alike.
#include <fmt/format.h>

#include <array>
#include <stdexcept>

#include "obliq/index.h"

namespace obliq {
namespace {

constexpr std::array kPresets = {
    Preset{"fast", "sq8", RawTier::none, 0.5}, Preset{"small", "lm4", RawTier::none, 0},
    Preset{"tiny", "lm2", RawTier::none, 0}, Preset{"exact", "sq8", RawTier::fp32, 0.5}};

}  // namespace

std::span<const Preset> presets() { return kPresets; }

const Preset& parse_preset(std::string_view name) {
  std::string valid;
  for (const Preset& preset : kPresets) {
    if (preset.name == name) return preset;
    valid += fmt::format("{}{}", valid.empty() ? "" : ", ", preset.name);
  }
  throw std::invalid_argument(fmt::format("unknown preset '{}'; valid: {}", name, valid));
}

Preset choose_codes(std::string_view preset, std::string_view quantizer, std::optional<RawTier> raw,
                    std::optional<double> spill) {
  Preset codes = preset.empty() ? kPresets.front() : parse_preset(preset);
  if (preset.empty() && !quantizer.empty()) codes = {{}, quantizer, RawTier::none, 0};
  if (!quantizer.empty()) codes.quantizer = quantizer;
  codes.raw = raw.value_or(codes.raw);
  codes.spill = spill.value_or(codes.spill);
  return codes;
}

}  // namespace obliq

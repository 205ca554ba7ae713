// The presets: names for what most people want, so that nobody has to choose a quantizer first.
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

}  // namespace obliq

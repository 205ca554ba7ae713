// A preset only sets --quantizer, --raw and --spill; a flag that is given besides wins
// (choose_codes).
#include "tools/code_flags.h"

#include <fmt/core.h>

#include <vector>

namespace obliq::tools {
namespace {

std::vector<std::string> preset_names() {
  std::vector<std::string> names;
  for (const Preset& preset : presets()) names.emplace_back(preset.name);
  return names;
}

/// "fast: sq8, spill 0.5; ...; exact: sq8 with raw fp32, spill 0.5"
std::string describe_presets() {
  std::string text;
  for (const Preset& preset : presets()) {
    text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", preset.name, preset.quantizer);
    if (preset.raw != RawTier::none) text += fmt::format(" with raw {}", to_string(preset.raw));
    if (preset.spill > 0) text += fmt::format(", spill {}", preset.spill);
  }
  return text;
}

}  // namespace

void CodeFlags::add_flags(CLI::App& app) {
  app.add_option("--quantizer", quantizer_, "Quantizer spec: sq8, lm4, ...; default: the preset's");
  app.add_option("--preset", preset_,
                 describe_presets() +
                     " (--quantizer, --raw and --spill override it); default: fast, "
                     "unless --quantizer is given")
      ->check(CLI::IsMember(preset_names()));
  app.add_option("--raw", raw_,
                 "Exact vectors kept beside the codes: none, fp16, fp32; "
                 "default: the preset's")
      ->check(CLI::IsMember({"none", "fp16", "fp32"}));
  app.add_option("--spill", spill_,
                 "Share of vectors with an entry in a second list: 0, .5, 1 or between; "
                 "default: the preset's, 0 with --quantizer alone");
}

Preset CodeFlags::choose() const {
  std::optional<RawTier> raw;
  if (!raw_.empty()) raw = parse_raw_tier(raw_);
  return choose_codes(preset_, quantizer_, raw, spill_);
}

}  // namespace obliq::tools

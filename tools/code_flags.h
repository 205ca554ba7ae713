// The flags that choose how vectors are kept: --quantizer, --preset, --raw and --spill.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "obliq/index.h"

namespace obliq::tools {

class CodeFlags {
 public:
  void add_flags(CLI::App& app);

  bool is_given() const {
    return !quantizer_.empty() || !preset_.empty() || !raw_.empty() || spill_.has_value();
  }
  /// What they ask for, valid as long as this object (choose_codes).
  Preset choose() const;

 private:
  std::string quantizer_;
  std::string preset_;
  std::string raw_;
  std::optional<double> spill_;
};

}  // namespace obliq::tools

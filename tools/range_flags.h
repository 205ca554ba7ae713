// The flags of range searches.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>

#include "obliq/range_search.h"

namespace obliq::tools {

class RangeFlags {
 public:
  /// All of them. Returns --radius, for who requires it.
  CLI::Option* add_flags(CLI::App& app);
  /// --radius, --exact and --max-results.
  CLI::Option* add_flags_but_confidence(CLI::App& app);

  bool is_given() const { return radius_.has_value(); }
  float radius() const { return radius_.value_or(0); }
  RangeSearchOptions& options() { return options_; }
  const RangeSearchOptions& options() const { return options_; }

 private:
  std::optional<float> radius_;
  RangeSearchOptions options_;
};

}  // namespace obliq::tools

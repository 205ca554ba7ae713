// The flags that say which vectors may be answers (obliq/filter.h).
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "obliq/filter.h"
#include "tools/inputs.h"

namespace obliq::tools {

class FilterFlags {
 public:
  void add_flags(CLI::App& app);

  bool is_given() const {
    return !expression_.empty() || !allowed_file_.empty() || !denied_file_.empty();
  }
  /// The flags with their values, "--filter year > 2000 --deny-ids ids.npy"; empty: none is given.
  std::string text() const;
  /// The files that are read.
  std::vector<std::string> files() const { return {allowed_file_, denied_file_}; }
  /// What they ask for; nothing where none is given. Files of ids hold texts, a line each, where
  /// ids are strings. Throws std::invalid_argument.
  std::optional<Filter> read(const Inputs& inputs, bool has_keys) const;

 private:
  void add_param(const char* flag, const std::string& text, FilterValue value);

  std::string expression_;
  std::vector<FilterValue> params_;
  std::string param_texts_;  // as they were given
  std::string allowed_file_;
  std::string denied_file_;
};

/// A value as --param gives it: JSON (2020, 1.5, true, "42", ["en","de"]), else the text as it is.
/// Throws std::invalid_argument for JSON that is no value of a filter.
FilterValue parse_param(const std::string& text);

}  // namespace obliq::tools

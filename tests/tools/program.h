// Runs the real `obliq` program, as a shell script would.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "storage/temporary_folder.h"

namespace obliq::tools {

/// What a run left behind.
struct Outcome {
  int exit_code = -1;  ///< -1 when a signal ended it
  std::string out;
  std::string err;
};

/// Runs the program with these arguments and waits for its end.
Outcome run_obliq(const std::vector<std::string>& arguments);
/// The same; fails the test unless the program succeeds.
Outcome must(const std::vector<std::string>& arguments);

/// The lines of JSON in a run's output. Fails the test when one is none.
std::vector<nlohmann::json> json_lines(const Outcome& outcome);

}  // namespace obliq::tools

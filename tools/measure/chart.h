// Charts, drawn from JSON lines by the scripts of bench/ (Python with matplotlib).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tools/measure/point.h"

namespace obliq::tools {

/// Writes points as JSON lines, each with the fields of `common`. Throws std::system_error.
void write_json_lines(const std::string& path, std::span<const Point> points,
                      const nlohmann::ordered_json& common);

/// Runs a script such as "bench/plot.py" that draws a PNG. Returns a line for the user: where the
/// chart is, or what is missing to draw it.
std::string run_chart_script(const std::string& name, const std::vector<std::string>& arguments,
                             const std::string& png);

/// Draws the recall-QPS chart of the points of one mode in a file of JSON lines as a PNG, and
/// returns what run_chart_script does.
std::string draw_chart(const std::string& json_lines, const std::string& png, Mode mode);

/// A file of the project, looked for from the folder of this program upwards (a build tree) and in
/// ../share/obliq (an installation).
std::optional<std::string> find_project_file(const std::string& relative);

}  // namespace obliq::tools

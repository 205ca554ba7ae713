// Charts, drawn from JSON lines by the scripts of bench/ (Python with matplotlib).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tools/measure/point.h"

namespace obliq::tools {

/// What a chart tells of a measurement that is made now: "cpu", "date" and "version".
nlohmann::ordered_json measured_on();

/// Writes JSON objects, a line each. Throws std::system_error.
void write_json_lines(const std::string& path, std::span<const nlohmann::ordered_json> objects);

/// Writes points as JSON lines, each with the fields of `common`. Throws std::system_error.
void write_json_lines(const std::string& path, std::span<const Point> points,
                      const nlohmann::ordered_json& common);

/// Runs a script such as "bench/plot.py" that draws a PNG. Returns text for the user: where the
/// chart is, or the last line that the script printed and how to run it again.
std::string run_chart_script(const std::string& name, const std::vector<std::string>& arguments,
                             const std::string& png);

/// Draws the recall-QPS chart of the points of one mode and number of threads in a file of JSON
/// lines as a PNG, and returns what run_chart_script does.
std::string draw_chart(const std::string& json_lines, const std::string& png,
                       const SweepOptions& drawn);

/// A file of the project, looked for in ../share/obliq (an installation) and from the folder of
/// this program upwards (a build tree).
std::optional<std::string> find_project_file(const std::string& relative);

}  // namespace obliq::tools

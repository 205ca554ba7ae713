#include "tools/measure/chart.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <vector>

namespace obliq::tools {
namespace {

namespace fs = std::filesystem;

/// Runs a program found on the PATH, its output thrown away. Returns its exit status, -1 when it
/// could not be started or was killed.
int run_quietly(std::vector<std::string> arguments) {
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  const int failed = posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return -1;
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// The project's own virtual environment first, then the system's Python.
std::string python() { return find_project_file(".venv/bin/python").value_or("python3"); }

}  // namespace

void write_json_lines(const std::string& path, std::span<const Point> points,
                      const nlohmann::ordered_json& common) {
  std::ofstream out(path, std::ios::trunc);
  for (const Point& point : points) {
    nlohmann::ordered_json json = to_json(point);
    json.update(common);
    out << json.dump() << '\n';
  }
  out.close();
  if (!out) throw std::system_error(errno, std::generic_category(), "cannot write " + path);
}

std::optional<std::string> find_project_file(const std::string& relative) {
  std::error_code ignored;
  const fs::path folder = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  for (fs::path up = folder; up.has_relative_path(); up = up.parent_path()) {
    if (fs::exists(up / relative, ignored)) return (up / relative).string();
  }
  const fs::path installed = folder.parent_path() / "share/obliq" / fs::path(relative).filename();
  if (fs::exists(installed, ignored)) return installed.string();
  return std::nullopt;
}

std::string run_chart_script(const std::string& name, const std::vector<std::string>& arguments,
                             const std::string& png) {
  const auto script = find_project_file(name);
  if (!script) return fmt::format("no chart: {} was not found near this program", name);
  std::vector<std::string> command = {python(), *script};
  command.insert(command.end(), arguments.begin(), arguments.end());
  if (run_quietly(command) == 0) return "chart: " + png;
  return fmt::format(
      "no chart: Python with matplotlib is needed (apt-get install python3-matplotlib); then: "
      "python3 {} {}",
      *script, fmt::join(arguments, " "));
}

std::string draw_chart(const std::string& json_lines, const std::string& png, Mode mode) {
  const std::string name = mode == Mode::single ? "single" : "batch";
  return run_chart_script("bench/plot.py", {json_lines, "-o", png, "--mode", name}, png);
}

}  // namespace obliq::tools

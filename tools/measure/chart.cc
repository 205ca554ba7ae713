#include "tools/measure/chart.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "obliq/progress.h"
#include "storage/atomic_file.h"
#include "storage/mapped_file.h"
#include "storage/temporary_folder.h"
#include "tools/interrupt.h"

namespace obliq::tools {
namespace {

namespace fs = std::filesystem;

/// How a program ended and all that it printed, on either stream.
struct Ended {
  bool well = false;
  std::string printed;
};

/// Starts a program found on the PATH, its output into `pipe`. Returns 0 or an error number.
int start(std::vector<std::string> arguments, int pipe, pid_t& child) {
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, pipe, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, pipe, STDERR_FILENO);
  const int failed = posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  return failed;
}

/// All that comes out of `pipe` until `child`, which a signal of ours ends, is gone.
std::string read_all(int pipe, pid_t child) {
  std::string text;
  std::array<char, 4096> buffer;
  for (;;) {
    const ssize_t count = read(pipe, buffer.data(), buffer.size());
    if (interrupted() != 0) kill(child, SIGTERM);
    if (count > 0) text.append(buffer.data(), static_cast<std::size_t>(count));
    if (count == 0 || (count < 0 && errno != EINTR)) return text;
  }
}

Ended run(const std::vector<std::string>& arguments) {
  std::array<int, 2> ends;
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return {false, std::strerror(errno)};
  pid_t child = 0;
  const int failed = start(arguments, ends[1], child);
  close(ends[1]);
  std::string printed = failed == 0 ? read_all(ends[0], child) : "";
  close(ends[0]);
  if (failed != 0) {
    return {false, fmt::format("cannot run {}: {}", arguments[0], std::strerror(failed))};
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    if (interrupted() != 0) kill(child, SIGTERM);
  }
  if (interrupted() != 0) throw Cancelled();
  if (WIFSIGNALED(status)) printed += fmt::format("\nended by signal {}", WTERMSIG(status));
  return {WIFEXITED(status) && WEXITSTATUS(status) == 0, std::move(printed)};
}

/// The last line that is not empty: what a script says when it fails, and the error itself where
/// Python shows where it was raised.
std::string last_line(std::string_view text) {
  const std::size_t end = text.find_last_not_of(" \n");
  if (end == std::string_view::npos) return "it said nothing";
  text = text.substr(0, end + 1);
  return std::string(text.substr(text.rfind('\n') + 1));  // npos + 1 is 0
}

void copy_file(const std::string& from, const std::string& to) {
  const MappedFile bytes(from);
  AtomicFile file(to);
  file.expect(bytes.bytes().size());
  file.append(bytes.bytes());
  file.commit();
}

/// The project's own virtual environment first, then the system's Python.
std::string python() { return find_project_file(".venv/bin/python").value_or("python3"); }

/// The CPU's name; empty where the system tells none, as on some AArch64.
std::string cpu_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t at = line.find(": ");
    if (line.starts_with("model name") && at != std::string::npos) return line.substr(at + 2);
  }
  return {};
}

}  // namespace

nlohmann::ordered_json measured_on() {
  const std::time_t now = std::time(nullptr);
  std::tm day{};
  gmtime_r(&now, &day);
  return {{"cpu", cpu_name()},
          {"date", fmt::format("{}-{:02}-{:02}", day.tm_year + 1900, day.tm_mon + 1, day.tm_mday)},
          {"version", std::string("obliq ") + OBLIQ_VERSION}};
}

void write_json_lines(const std::string& path, std::span<const nlohmann::ordered_json> objects) {
  const HoldInterrupts held;
  AtomicFile file(path);
  for (const nlohmann::ordered_json& object : objects) {
    const std::string line = object.dump() + '\n';
    file.append(std::as_bytes(std::span(line)));
  }
  file.commit();
}

void write_json_lines(const std::string& path, std::span<const Point> points,
                      const nlohmann::ordered_json& common) {
  std::vector<nlohmann::ordered_json> objects;
  for (const Point& point : points) objects.emplace_back(to_json(point)).update(common);
  write_json_lines(path, objects);
}

std::optional<std::string> find_project_file(const std::string& relative) {
  std::error_code ignored;
  const fs::path folder = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  const fs::path installed = folder.parent_path() / "share/obliq" / fs::path(relative).filename();
  if (fs::exists(installed, ignored)) return installed.string();
  for (fs::path up = folder; up.has_relative_path(); up = up.parent_path()) {
    if (fs::exists(up / relative, ignored)) return (up / relative).string();
  }
  return std::nullopt;
}

std::string run_chart_script(const std::string& name, const std::vector<std::string>& arguments,
                             const std::string& png) {
  const auto script = find_project_file(name);
  if (!script) return fmt::format("no chart: {} was not found near this program", name);
  const HoldInterrupts held;
  const TemporaryFolder folder;
  const std::string drawn = folder / "chart.png";
  std::vector<std::string> command = {python(), *script};
  std::vector<std::string> again = command;
  for (const std::string& argument : arguments) {
    command.push_back(argument == png ? drawn : argument);
    again.push_back(argument);
  }
  const Ended ended = run(command);
  if (!ended.well) {
    return fmt::format("no chart: {}\nto try again: {}", last_line(ended.printed),
                       fmt::join(again, " "));
  }
  copy_file(drawn, png);
  return "chart: " + png;
}

std::string draw_chart(const std::string& json_lines, const std::string& png,
                       const SweepOptions& drawn) {
  const std::string mode = drawn.mode == Mode::single ? "single" : "batch";
  return run_chart_script(
      "bench/plot.py",
      {json_lines, "-o", png, "--mode", mode, "--threads", std::to_string(drawn.threads)}, png);
}

}  // namespace obliq::tools

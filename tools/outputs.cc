#include "tools/outputs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <stdexcept>

#include "datasets/dataset.h"

namespace obliq::tools {
namespace {

namespace fs = std::filesystem;

/// What is there under a path, links followed; nothing for no file.
std::optional<struct stat> file_at(const std::string& path) {
  struct stat there {};
  if (::stat(path.c_str(), &there) != 0) return std::nullopt;
  return there;
}

bool same(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/// The file that an input names, or the part before a colon: a dataset may stand behind it.
bool reads(const std::string& input, const struct stat& output) {
  for (std::size_t end = input.size();; end = input.rfind(':', end - 1)) {
    if (end == std::string::npos || end == 0) return false;
    const auto file = file_at(input.substr(0, end));
    if (file && same(*file, output)) return true;
  }
}

void check_output(const std::string& output, const std::vector<std::string>& inputs) {
  const auto there = file_at(output);
  if (!there || S_ISCHR(there->st_mode)) return;
  for (const std::string& input : inputs) {
    if (!reads(input, *there)) continue;
    throw std::invalid_argument(
        output == input
            ? fmt::format("'{}' is to be read and written: give the output another name", output)
            : fmt::format("output '{}' is the same file as input '{}': give it another name",
                          output, input));
  }
}

bool same_output(const std::string& a, const std::string& b) {
  const auto there = file_at(a);
  const auto other = file_at(b);
  if (there && other) return same(*there, *other) && !S_ISCHR(there->st_mode);
  std::error_code ignored;
  return fs::weakly_canonical(a, ignored) == fs::weakly_canonical(b, ignored);
}

}  // namespace

void check_outputs(const std::vector<std::string>& outputs,
                   const std::vector<std::string>& inputs) {
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].empty()) throw std::invalid_argument("the name of an output is empty");
    check_output(outputs[i], inputs);
    for (std::size_t j = 0; j < i; ++j) {
      if (!same_output(outputs[i], outputs[j])) continue;
      throw std::invalid_argument(
          fmt::format("'{}' and '{}' are to be written, but are one file", outputs[j], outputs[i]));
    }
  }
}

bool is_stream(const std::string& path) {
  const std::string folder = fs::path(path).parent_path().string();
  if (folder == "/dev" || folder == "/dev/fd" || folder == "/proc/self/fd") return true;
  const auto there = file_at(path);
  return there && !S_ISREG(there->st_mode) && !S_ISDIR(there->st_mode);
}

void require_suffix(const std::string& output, std::initializer_list<std::string_view> suffixes,
                    std::string_view what) {
  const auto ends = [&](std::string_view suffix) { return output.ends_with(suffix); };
  if (std::any_of(suffixes.begin(), suffixes.end(), ends) || is_stream(output)) return;
  throw std::invalid_argument(fmt::format("cannot write {} to '{}': its name must end in {}", what,
                                          output, fmt::join(suffixes, " or ")));
}

void refuse_foreign_suffix(const std::string& output, std::string_view what) {
  if (!datasets::names_vectors(output) && !output.ends_with(".png")) return;
  throw std::invalid_argument(
      fmt::format("cannot write {} to '{}': names of that ending are for {}", what, output,
                  output.ends_with(".png") ? "charts" : "vectors"));
}

void check_output_format(const std::string& output, const std::string& format) {
  if (format.empty()) {
    if (!datasets::names_vectors(output) && is_stream(output)) {
      throw std::invalid_argument(fmt::format(
          "the name '{}' tells no format: give one with --output-format .npy, .fvecs ...", output));
    }
    datasets::require_vector_suffix(output);
    return;
  }
  const std::string_view name = std::string_view(format).substr(format.front() == '.' ? 1 : 0);
  (void)datasets::can_hold_ids(name);
  const std::string_view told = datasets::told_format(output);
  if (!told.empty() && told != name) {
    throw std::invalid_argument(
        fmt::format("--output-format {} contradicts the name '{}'", format, output));
  }
}

std::FILE* beside(const std::string& output) {
  struct stat standard {};
  const auto there = file_at(output);
  if (!there || ::fstat(STDOUT_FILENO, &standard) != 0 || !same(*there, standard)) return stdout;
  return S_ISCHR(standard.st_mode) && ::isatty(STDOUT_FILENO) == 0 ? stdout : stderr;
}

}  // namespace obliq::tools

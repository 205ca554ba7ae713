// The table of commands, and what is the same for all of them: parsing, one-line errors and exit
// codes. std::invalid_argument is the caller's mistake (2), everything else a failure while running
// (1), but after a signal, which may show as any failure: 128 + signal.
#include "tools/cli.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

#include "core/default_threads.h"
#include "core/kernels/dispatch.h"
#include "obliq/progress.h"
#include "tools/command.h"
#include "tools/interrupt.h"

namespace obliq::tools {
namespace {

struct Row {
  const char* name;
  const char* summary;
  std::unique_ptr<Command> (*make)();
};

constexpr std::array kCommands = {
    Row{"demo", "Build, search and compare on a set, step by step", make_demo},
    Row{"generate", "Make a synthetic set with queries and ground truth", make_generate},
    Row{"convert", "Write vectors in another file format, or make a set of loose files",
        make_convert},
    Row{"groundtruth", "Find the exact nearest neighbours of queries", make_groundtruth},
    Row{"centroids", "Find centroids that several indexes are to share", make_centroids},
    Row{"advise", "Propose an index for a memory and a recall", make_advise},
    Row{"build", "Build an index from vectors", make_build},
    Row{"train", "Learn a model, under which parts of a base are encoded", make_train},
    Row{"encode", "Encode vectors under a model into a segment", make_encode},
    Row{"merge", "Merge segments of a model into an index", make_merge},
    Row{"add", "Add vectors to a collection, a directory that changes", make_add},
    Row{"update", "Change the columns of vectors of a collection", make_update},
    Row{"add-column", "Add columns to a collection", make_add_column},
    Row{"remove", "Remove vectors from a collection", make_remove},
    Row{"compact", "Merge the segments of a collection into one", make_compact},
    Row{"export", "Write what a collection holds as an index", make_export},
    Row{"import", "Add the vectors of an index to a collection", make_import},
    Row{"backup", "Copy a collection while others write to it", make_backup},
    Row{"search", "Find the nearest neighbours of queries in an index or a collection",
        make_search},
    Row{"range-search", "Find all vectors nearer to queries than a radius", make_range_search},
    Row{"eval", "Measure recall and speed of an index or a collection on a set", make_eval},
    Row{"tune", "Find out how an index reaches target recalls", make_tune},
    Row{"info", "Show what an index, a collection, a model or a segment is made of", make_info},
    Row{"verify", "Check every byte of an index, a collection, a model or a segment", make_verify},
    Row{"distortion", "Measure the error of quantizers", make_distortion},
    Row{"matmul", "Measure the error of products of quantized matrices", make_matmul},
    Row{"bench", "Sweep nprobe for obliq and for FAISS on a set", make_bench},
};

std::string version_text() {
  const ThreadDefault threads = default_threads();
  return fmt::format("obliq {} (SIMD {}; {} thread{} by default: {})", OBLIQ_VERSION,
                     kernels().name, threads.threads, threads.threads == 1 ? "" : "s",
                     threads.from);
}

bool is_command(std::string_view name) {
  return std::any_of(kCommands.begin(), kCommands.end(),
                     [&](const Row& row) { return name == row.name; });
}

std::string command_names() {
  std::string names;
  for (const Row& row : kCommands)
    names += fmt::format("{}{}", names.empty() ? "" : ", ", row.name);
  return names;
}

/// One line on stderr, whatever the message holds; but what is wrong in a filter is shown below it,
/// with a caret. Allocates nothing, to work without memory.
void complain(std::string_view program, std::string_view what) noexcept {
  const auto put = [](std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); };
  while (what.ends_with('\n')) what.remove_suffix(1);
  const bool shows_place = what.starts_with("filter: ") && what.ends_with(" ^");
  put(program);
  put(": ");
  for (std::size_t end = what.find('\n'); end != std::string_view::npos; end = what.find('\n')) {
    put(what.substr(0, end));
    put(shows_place ? "\n" : " ");
    what.remove_prefix(end + 1);
  }
  put(what);
  put("\n");
}

/// Runs the command; its output must have reached stdout for it to have succeeded.
int run_command(Command& command) {
  const int code = command.run();
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    throw std::system_error(errno, std::generic_category(), "cannot write to stdout");
  }
  return code;
}

/// Says what the exception that is being handled says. Returns the exit code.
int report_failure(const std::string& program) {
  try {
    throw;
  } catch (const std::invalid_argument& error) {
    complain(program, error.what());
    return kUsage;
  } catch (const std::bad_alloc&) {
    complain(program, "out of memory");
    return kFailed;
  } catch (const std::exception& error) {
    complain(program, error.what());
    return kFailed;
  }
}

int guarded(const std::string& program, Command& command) {
  try {
    return run_command(command);
  } catch (...) {
    if (interrupted() == 0) return report_failure(program);
    complain(program, kCancelledText);
    return interrupt_exit_code();
  }
}

/// Returns the exit code when there is nothing to run: help and version go to stdout with code 0; a
/// wrong command line is one line on stderr.
std::optional<int> parse(CLI::App& app, const std::string& program, int argc,
                         const char* const* argv) {
  try {
    app.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    complain(program, fmt::format("{} ('{} --help' lists the flags)", error.what(), program));
    return kUsage;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    complain(program, error.what());
    return kUsage;
  }
}

int parse_and_run(int argc, const char* const* argv) {
  const std::string first = argc > 1 ? argv[1] : "";
  if (first.empty()) {
    complain("obliq", fmt::format("name a command: {} ('obliq --help' tells what they do)",
                                  command_names()));
    return kUsage;
  }
  if (first.front() != '-' && !is_command(first)) {
    complain("obliq", fmt::format("'{}' is not a command; valid: {}", first, command_names()));
    return kUsage;
  }
  CLI::App app("Vector search with quantized storage.", "obliq");
  app.set_version_flag("--version", version_text, "Print version and ISA");
  app.footer("'obliq COMMAND --help' lists the flags of a command. OBLIQ_SIMD forces an ISA.");
  app.require_subcommand(1);
  std::array<std::unique_ptr<Command>, kCommands.size()> commands;
  std::array<CLI::App*, kCommands.size()> parsers{};
  for (std::size_t i = 0; i < kCommands.size(); ++i) {
    commands[i] = kCommands[i].make();
    parsers[i] = app.add_subcommand(kCommands[i].name, kCommands[i].summary);
    commands[i]->add_flags(*parsers[i]);
  }
  const std::string program = is_command(first) ? "obliq " + first : "obliq";
  catch_interrupts(program);
  if (const auto code = parse(app, program, argc, argv)) return *code;
  for (std::size_t i = 0; i < kCommands.size(); ++i) {
    if (parsers[i]->parsed()) return guarded(program, *commands[i]);
  }
  return kUsage;  // not reached: a command is required
}

}  // namespace

int run_cli(int argc, const char* const* argv) {
  try {
    return parse_and_run(argc, argv);
  } catch (const std::bad_alloc&) {
    complain("obliq", "out of memory");
  } catch (const std::exception& error) {
    complain("obliq", error.what());
  }
  return kFailed;
}

}  // namespace obliq::tools

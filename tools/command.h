// A command of the `obliq` program: its flags, and what it does. Each command is one .cc file and
// one row of the table in cli.cc.
//
// Data goes to stdout; progress to stderr, and only when that is a terminal. A command reports an
// error by throwing; cli.cc turns it into one line on stderr and an exit code.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>

namespace obliq::tools {

enum ExitCode : int {
  kOk = 0,
  kFailed = 1,  ///< a check failed, or something went wrong while running
  kUsage = 2,   ///< a flag, its value or an input that does not fit it
  // Stopped by a signal: 128 + its number, as shells have it (interrupt.h).
};

class Command {
 public:
  virtual ~Command() = default;
  /// Declares positionals and flags, each with help and default, bound to members.
  virtual void add_flags(CLI::App& app) = 0;
  /// Runs with the parsed flags. Returns an ExitCode.
  virtual int run() = 0;
};

std::unique_ptr<Command> make_generate();
std::unique_ptr<Command> make_convert();
std::unique_ptr<Command> make_groundtruth();
std::unique_ptr<Command> make_centroids();
std::unique_ptr<Command> make_advise();
std::unique_ptr<Command> make_build();
std::unique_ptr<Command> make_train();
std::unique_ptr<Command> make_encode();
std::unique_ptr<Command> make_merge();
std::unique_ptr<Command> make_add();
std::unique_ptr<Command> make_update();
std::unique_ptr<Command> make_add_column();
std::unique_ptr<Command> make_remove();
std::unique_ptr<Command> make_compact();
std::unique_ptr<Command> make_export();
std::unique_ptr<Command> make_import();
std::unique_ptr<Command> make_backup();
std::unique_ptr<Command> make_search();
std::unique_ptr<Command> make_range_search();
std::unique_ptr<Command> make_eval();
std::unique_ptr<Command> make_info();
std::unique_ptr<Command> make_tune();
std::unique_ptr<Command> make_verify();
std::unique_ptr<Command> make_distortion();
std::unique_ptr<Command> make_matmul();
std::unique_ptr<Command> make_bench();
std::unique_ptr<Command> make_demo();

}  // namespace obliq::tools

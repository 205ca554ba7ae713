// The `obliq` program without its main(), so that tests can call it.
#pragma once

namespace obliq::tools {

/// Parses the command line, runs the command and returns the exit code of the process (command.h).
/// Never throws: an error becomes one line on stderr, "obliq <command>: <what>".
int run_cli(int argc, const char* const* argv);

}  // namespace obliq::tools

// Before anything else runs, a handler is set for what no catch can reach: out of memory in
// constructors of constants before main, and in destructors (those of nlohmann::json allocate).
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <new>
#include <string_view>

#include "tools/cli.h"
#include "tools/command.h"

namespace {

[[noreturn]] void end_process() {
  try {
    if (const std::exception_ptr error = std::current_exception()) std::rethrow_exception(error);
  } catch (const std::bad_alloc&) {
    constexpr std::string_view kLine = "obliq: out of memory\n";
    if (::write(STDERR_FILENO, kLine.data(), kLine.size()) >= 0) ::_exit(obliq::tools::kFailed);
    ::_exit(obliq::tools::kFailed);
  } catch (...) {
  }
  std::abort();
}

// 101: the first that programs may use.
__attribute__((constructor(101))) void handle_termination() { std::set_terminate(end_process); }

}  // namespace

int main(int argc, char** argv) { return obliq::tools::run_cli(argc, argv); }

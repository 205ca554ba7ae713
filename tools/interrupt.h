// Ctrl-C, SIGTERM and SIGHUP. As long as nothing is half-written the process ends at once, with
// exit code 128 + signal; while something is, they are only remembered, and the work is asked to
// stop: ProgressBar's callback returns false.
#pragma once

#include <string>

namespace obliq::tools {

/// From here on `program` ends with a line on stderr. The second signal of a kind ends the process
/// as usual; what was ignored before stays ignored (nohup), but for Ctrl-C.
void catch_interrupts(const std::string& program);

/// The signal that was remembered, 0: none.
int interrupted();

/// What a command ends with that was interrupted: 128 + signal.
int interrupt_exit_code();

/// The line on stderr, without the program's name.
inline constexpr const char* kCancelledText = "cancelled; no file was left half-written";

/// While one lives, signals are remembered. Has to live around whatever writes files, temporary
/// ones too.
class HoldInterrupts {
 public:
  HoldInterrupts();
  ~HoldInterrupts();
  HoldInterrupts(const HoldInterrupts&) = delete;
  HoldInterrupts& operator=(const HoldInterrupts&) = delete;
};

}  // namespace obliq::tools

// Ctrl-C as a flag, so that a build stops between two steps and leaves no half-written file.
#pragma once

namespace obliq::tools {

/// From here on the first SIGINT is only remembered; a second one ends the process as usual.
void catch_interrupts();

/// Whether a SIGINT came since.
bool interrupted();

}  // namespace obliq::tools

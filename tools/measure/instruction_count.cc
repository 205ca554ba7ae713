#include "tools/measure/instruction_count.h"

#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace obliq::tools {

InstructionCount::InstructionCount() {
  perf_event_attr event = {};
  event.type = PERF_TYPE_HARDWARE;
  event.size = sizeof event;
  event.config = PERF_COUNT_HW_INSTRUCTIONS;
  event.exclude_kernel = 1;
  event.exclude_hv = 1;
  file_ = static_cast<int>(::syscall(SYS_perf_event_open, &event, 0, -1, -1, 0));
}

InstructionCount::~InstructionCount() {
  if (file_ >= 0) ::close(file_);
}

std::optional<std::uint64_t> InstructionCount::read() const {
  std::uint64_t count = 0;
  if (file_ < 0 || ::read(file_, &count, sizeof count) != sizeof count) return std::nullopt;
  return count;
}

}  // namespace obliq::tools

// Instructions that this thread has executed in user mode, by the performance counters of the CPU
// (Linux perf_event_open). Virtual machines often have none.
#pragma once

#include <cstdint>
#include <optional>

namespace obliq::tools {

class InstructionCount {
 public:
  InstructionCount();
  ~InstructionCount();
  InstructionCount(const InstructionCount&) = delete;
  InstructionCount& operator=(const InstructionCount&) = delete;

  /// Since construction; nothing where the machine does not count or does not let us.
  std::optional<std::uint64_t> read() const;

 private:
  int file_ = -1;
};

}  // namespace obliq::tools

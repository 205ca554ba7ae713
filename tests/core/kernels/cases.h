// The table of kernel cases that equality_test.cc and bench_kernels.cc walk: no kernel is
// timed without being tested. A case makes, for a dim, seeded inputs and a call that can be run
// through the table of any level; its output is compared as 32-bit words, floats by their bits.
#pragma once

#include <bit>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/kernels/kernels.h"
#include "core/random.h"
#include "tests/core/kernels/guarded_buffer.h"

namespace obliq {

/// random: what the index feeds the kernels. extreme: the limits of each contract, zeros, ties.
enum class Values { random, extreme };

struct CaseSetup {
  std::size_t dim = 384;
  std::uint64_t seed = 1;
  Values values = Values::random;
  Placement placement = Placement::at_start;
  bool timing = false;  ///< sizes of the benchmark, instead of small random ones
};

using Words = std::vector<std::uint32_t>;

class KernelCall {
 public:
  virtual ~KernelCall() = default;
  virtual void run(const Kernels& kernels) = 0;
  /// What the last run wrote.
  virtual Words output() const = 0;
  /// Whether `got` is right where the scalar level gave `expected`.
  virtual bool agrees(const Words& expected, const Words& got) const { return expected == got; }
  /// Whether the last run left everything outside its outputs alone.
  virtual bool intact() const = 0;
  /// Entries, pairs or vectors that a run handles: the benchmark divides by it.
  virtual std::size_t entries() const { return 1; }
};

struct KernelCase {
  std::string name;  ///< the kernel's, with its number of bits where it has one: "dot_planes/4"
  std::function<std::unique_ptr<KernelCall>(const CaseSetup&)> make;
};

/// Every kernel of the table, those with bits at 1..8.
std::vector<KernelCase> kernel_cases();

}  // namespace obliq

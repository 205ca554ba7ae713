// Every kernel at every level of this CPU against the scalar level: all dims from 0 to 300, some
// larger, three placements in memory, random and extreme values.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "core/kernels/dispatch.h"
#include "tests/core/kernels/cases.h"

namespace obliq {

void PrintTo(const KernelCase& kernel, std::ostream* out) { *out << kernel.name; }

namespace {

std::vector<std::size_t> tested_dims() {
  std::vector<std::size_t> dims;
  for (std::size_t dim = 0; dim <= 300; ++dim) dims.push_back(dim);
  for (const std::size_t dim : {384, 511, 512, 513, 768, 1000, 1536, 2048, 4095, 4096, 4100}) {
    dims.push_back(dim);
  }
  return dims;
}

void expect_equal_to_scalar(const KernelCase& kernel, const CaseSetup& setup) {
  const auto call = kernel.make(setup);
  call->run(kernel_levels().front());
  const Words expected = call->output();
  for (const Kernels& level : kernel_levels()) {
    const std::string where = kernel.name + " at level " + level.name + ", dim " +
                              std::to_string(setup.dim) + ", seed " + std::to_string(setup.seed) +
                              ", placement " + std::to_string(static_cast<int>(setup.placement)) +
                              ", values " + std::to_string(static_cast<int>(setup.values));
    call->run(level);
    ASSERT_TRUE(call->agrees(expected, call->output())) << where;
    ASSERT_TRUE(call->intact()) << where << ": wrote outside its outputs";
  }
}

class EveryKernel : public testing::TestWithParam<KernelCase> {};

// Every mixture of values and placement for the dims where tails differ most, every placement with
// values in turn for the others.
TEST_P(EveryKernel, EqualsScalarAtEveryLevelAndTouchesNothingElse) {
  constexpr std::size_t kAllMixtures = 80;
  std::uint64_t seeds = 1;
  std::size_t turn = 0;
  for (const std::size_t dim : tested_dims()) {
    for (const Placement placement : {Placement::at_start, Placement::shifted, Placement::at_end}) {
      for (const Values values : {Values::random, Values::extreme}) {
        const bool in_turn = turn % 2 == static_cast<std::size_t>(values);
        if (dim > kAllMixtures && !in_turn) continue;
        expect_equal_to_scalar(GetParam(), {dim, splitmix64(seeds) >> 32, values, placement});
        if (HasFatalFailure()) return;
      }
      ++turn;
    }
  }
}

std::string test_name(const testing::TestParamInfo<KernelCase>& kernel) {
  std::string name = kernel.param.name;
  std::ranges::replace(name, '/', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Kernels, EveryKernel, testing::ValuesIn(kernel_cases()), test_name);

}  // namespace
}  // namespace obliq

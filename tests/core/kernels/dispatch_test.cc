// The tables of kernels, one per ISA, and the choice of one: each choice in a process of its own,
// because it is made once.
#include "core/kernels/dispatch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/core/kernels/cases.h"

namespace obliq {
namespace {

// Ends the process: 0 when the table in use is the one of `level`, 3 with the reason when refused.
[[noreturn]] void choose(const std::string& forced, const char* level) {
  setenv("OBLIQ_SIMD", forced.c_str(), 1);
  try {
    const Kernels& chosen = kernels();
    std::fprintf(stderr, "runs %s", chosen.name);
    std::_Exit(std::string(chosen.name) == level ? 0 : 4);
  } catch (const std::invalid_argument& error) {
    std::fputs(error.what(), stderr);
    std::_Exit(3);
  }
}

class DispatchDeathTest : public testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(DispatchDeathTest, RunsTheLevelThatOBLIQ_SIMDNames) {
  for (const Kernels& level : kernel_levels()) {
    EXPECT_EXIT(choose(level.name, level.name), testing::ExitedWithCode(0),
                std::string("runs ") + level.name);
  }
}

TEST_F(DispatchDeathTest, RunsTheBestLevelWhenNothingIsForced) {
  EXPECT_EXIT(choose("", kernel_levels().back().name), testing::ExitedWithCode(0), "runs");
}

TEST_F(DispatchDeathTest, RefusesAnUnknownLevelAndNamesTheValidOnes) {
  EXPECT_EXIT(choose("sse9", ""), testing::ExitedWithCode(3),
              "OBLIQ_SIMD=sse9 is not a level of this CPU; valid here: scalar");
  EXPECT_EXIT(choose("AVX2", ""), testing::ExitedWithCode(3), "OBLIQ_SIMD=AVX2 is not a level");
}

/// The kernels of a table in the order of the table, so that no list here can leave one out.
using Kernel = void (*)();
constexpr std::size_t kKernels = (sizeof(Kernels) - offsetof(Kernels, hadamard)) / sizeof(Kernel);
static_assert(offsetof(Kernels, hadamard) + kKernels * sizeof(Kernel) == sizeof(Kernels));

std::array<Kernel, kKernels> kernels_of(const Kernels& level) {
  std::array<Kernel, kKernels> all;
  std::memcpy(all.data(), reinterpret_cast<const char*>(&level) + offsetof(Kernels, hadamard),
              sizeof all);
  return all;
}

TEST(KernelLevels, ListsScalarFirstAndFillsEveryTable) {
  ASSERT_FALSE(kernel_levels().empty());
  EXPECT_STREQ(kernel_levels().front().name, "scalar");
  for (const Kernels& level : kernel_levels()) {
    const auto all = kernels_of(level);
    for (std::size_t i = 0; i < kKernels; ++i) {
      EXPECT_NE(all[i], nullptr) << level.name << ": kernel " << i << " of the table";
    }
  }
}

/// The kernels that an ISA leaves as they are at the scalar level; all others it replaces.
std::vector<std::size_t> left_scalar(const Kernels& level) {
  const auto place = [&](const auto& kernel) {
    return static_cast<std::size_t>(reinterpret_cast<const char*>(&kernel) -
                                    reinterpret_cast<const char*>(&level.hadamard)) /
           sizeof(Kernel);
  };
  const std::string name = level.name;
  std::vector<std::size_t> places;
  if (name == "avx2" || name == "neon") {
    // They would gather or compress, for which these ISAs have no instruction.
    places = {place(level.dot_windows), place(level.quantize_words)};
  }
  if (name == "neon") {
    for (const std::size_t other : {place(level.select_below), place(level.dot_e8),
                                    place(level.scan_panels), place(level.pack_signs)}) {
      places.push_back(other);
    }
  }
  std::sort(places.begin(), places.end());
  return places;
}

TEST(KernelLevels, ReplaceEveryKernelOfTheScalarLevelButThoseNamed) {
  const auto scalar = kernels_of(kernel_levels().front());
  for (const Kernels& level : kernel_levels().subspan(1)) {
    const auto all = kernels_of(level);
    std::vector<std::size_t> same;
    for (std::size_t i = 0; i < kKernels; ++i) {
      if (all[i] == scalar[i]) same.push_back(i);
    }
    EXPECT_EQ(same, left_scalar(level)) << level.name;
  }
}

TEST(KernelCases, HoldEveryKernelOfTheTable) {
  std::set<std::string> names;
  for (const KernelCase& kernel : kernel_cases()) {
    names.insert(kernel.name.substr(0, kernel.name.find('/')));
  }
  EXPECT_EQ(names.size(), kKernels) << testing::PrintToString(names);
}

}  // namespace
}  // namespace obliq

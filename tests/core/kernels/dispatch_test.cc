// The choice of the level, each in a process of its own because it is made once.
#include "core/kernels/dispatch.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

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

TEST(KernelLevels, ListsScalarFirstAndFillsEveryTable) {
  ASSERT_FALSE(kernel_levels().empty());
  EXPECT_STREQ(kernel_levels().front().name, "scalar");
  for (const Kernels& level : kernel_levels()) {
    EXPECT_TRUE(level.hadamard && level.dot && level.l2_sqr && level.dots && level.build_lut &&
                level.scan && level.gather_signs && level.dot_planes && level.dot_bytes &&
                level.nearest_level && level.score_levels && level.row_times_16 &&
                level.pack_signs && level.select_below && level.quantize_words &&
                level.quantize_bytes && level.scan_panels)
        << level.name;
  }
}

TEST(KernelLevels, ReplacesTheHotKernelsAtEveryLevelAboveScalar) {
  const Kernels& scalar = kernel_levels().front();
  for (const Kernels& level : kernel_levels().subspan(1)) {
    EXPECT_NE(level.scan, scalar.scan) << level.name;
    EXPECT_NE(level.dot, scalar.dot) << level.name;
    EXPECT_NE(level.hadamard, scalar.hadamard) << level.name;
    EXPECT_NE(level.dot_bytes, scalar.dot_bytes) << level.name;
    EXPECT_NE(level.dot_planes, scalar.dot_planes) << level.name;
  }
}

}  // namespace
}  // namespace obliq

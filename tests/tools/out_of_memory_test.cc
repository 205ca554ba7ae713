// Commands that run out of memory anywhere: while flags are set up and parsed, while they run, and
// while they print. A library that lets operator new fail is loaded before the program.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "tests/tools/program.h"

namespace obliq::tools {
namespace {

class OutOfMemory : public ::testing::Test {
 protected:
  void SetUp() override {
#ifdef OBLIQ_SANITIZED
    GTEST_SKIP() << "sanitizers replace malloc themselves";
#endif
    must({"generate", "gaussian", "--n", "60", "--dim", "4", "--queries", "2", "-k", "3", "-o",
          folder_ / "set.hdf5"});
    must({"build", folder_ / "set.hdf5", "-o", folder_ / "index", "--quantizer", "lm4"});
    ::setenv("LD_PRELOAD", OBLIQ_FAILING_MALLOC, 1);
  }
  ~OutOfMemory() override {
    for (const char* name : {"LD_PRELOAD", "OBLIQ_FAIL_FROM", "OBLIQ_FAIL_COUNT"}) ::unsetenv(name);
  }

  /// Lets calls of operator new fail, up to the first after which the program succeeds. Most of the
  /// thousands of calls are left out, evenly.
  void expect_one_line(const std::vector<std::string>& arguments, const char* failing_calls) {
    ::setenv("OBLIQ_FAIL_COUNT", failing_calls, 1);
    int failed = 0;
    long from = 1;
    for (int done = 0;; from += 1 + from / 25) {
      ::setenv("OBLIQ_FAIL_FROM", std::to_string(from).c_str(), 1);
      const Outcome outcome = run_obliq(arguments);
      done = outcome.exit_code == 0 ? done + 1 : 0;
      if (done == 3) break;  // some calls may fail unnoticed
      if (outcome.exit_code == 0) continue;
      ++failed;
      EXPECT_EQ(outcome.exit_code, 1) << "call " << from << ": " << outcome.err;
      EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
      EXPECT_THAT(outcome.err, ::testing::MatchesRegex("obliq.*emory.*\n")) << "call " << from;
      if (HasFailure()) return;
    }
    EXPECT_GT(failed, 30) << "operator new was not replaced";
  }

  TemporaryFolder folder_;
};

TEST_F(OutOfMemory, IsOneLineWhereAllCallsFromOneOnFail) {
  expect_one_line({"--version"}, "1000000000");
  expect_one_line({"info", folder_ / "index", "--json"}, "1000000000");
}

TEST_F(OutOfMemory, IsOneLineWhereASingleCallFails) {
  expect_one_line({"info", folder_ / "index", "--json"}, "1");
  expect_one_line({"search", folder_ / "index", folder_ / "set.hdf5", "--json"}, "1");
}

}  // namespace
}  // namespace obliq::tools

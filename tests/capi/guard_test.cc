#include "capi/guard.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>

#include "obliq/progress.h"
#include "storage/lock_file.h"

namespace obliq::capi {
namespace {

template <typename Error>
obliq_status status_of(const Error& error) {
  return guard([&] { throw error; });
}

TEST(GuardOfTheCInterface, ReturnsOkWhereNothingIsThrown) {
  EXPECT_EQ(guard([] {}), OBLIQ_OK);
}

TEST(GuardOfTheCInterface, TellsEachKindOfFailureByItsStatus) {
  EXPECT_EQ(status_of(std::invalid_argument("a")), OBLIQ_INVALID_ARGUMENT);
  EXPECT_EQ(status_of(std::runtime_error("a")), OBLIQ_DAMAGED);
  EXPECT_EQ(status_of(std::bad_alloc()), OBLIQ_OUT_OF_MEMORY);
  EXPECT_EQ(status_of(std::length_error("a")), OBLIQ_OUT_OF_MEMORY);
  EXPECT_EQ(status_of(Cancelled()), OBLIQ_CANCELLED);
  EXPECT_EQ(status_of(LockHeld("a")), OBLIQ_BUSY);
  EXPECT_EQ(status_of(std::out_of_range("a")), OBLIQ_INTERNAL);
  EXPECT_EQ(status_of(StatusError(OBLIQ_NOT_FOUND, "a")), OBLIQ_NOT_FOUND);
  EXPECT_EQ(guard([] { throw 3; }), OBLIQ_INTERNAL);
}

TEST(GuardOfTheCInterface, KeepsTheErrnoOfTheSystemAndForgetsItWithTheNextFailure) {
  const std::system_error error(ENOSPC, std::generic_category(), "path: cannot write");
  EXPECT_EQ(status_of(error), OBLIQ_SYSTEM);
  EXPECT_EQ(obliq_last_errno(), ENOSPC);
  EXPECT_EQ(std::string(obliq_last_error()).find("path: cannot write"), 0U);
  const std::filesystem::filesystem_error other("path",
                                                std::error_code(EACCES, std::generic_category()));
  EXPECT_EQ(status_of(other), OBLIQ_SYSTEM);
  EXPECT_EQ(obliq_last_errno(), EACCES);
  EXPECT_EQ(status_of(std::invalid_argument("a")), OBLIQ_INVALID_ARGUMENT);
  EXPECT_EQ(obliq_last_errno(), 0);
}

TEST(GuardOfTheCInterface, KeepsTheMessageUntilTheNextFailureOfTheThread) {
  EXPECT_EQ(status_of(std::invalid_argument("mine")), OBLIQ_INVALID_ARGUMENT);
  std::thread([] {
    EXPECT_STREQ(obliq_last_error(), "");
    EXPECT_EQ(status_of(std::invalid_argument("of another thread")), OBLIQ_INVALID_ARGUMENT);
  }).join();
  EXPECT_EQ(guard([] {}), OBLIQ_OK);
  EXPECT_STREQ(obliq_last_error(), "mine");
}

TEST(GuardOfTheCInterface, CutsLongMessagesBetweenCharacters) {
  std::string text(4094, 'a');
  text += "\xC3\xA9 and more";  // two bytes, of which one would fit
  EXPECT_EQ(status_of(std::invalid_argument(text)), OBLIQ_INVALID_ARGUMENT);
  EXPECT_EQ(std::string(obliq_last_error()), std::string(4094, 'a'));
}

}  // namespace
}  // namespace obliq::capi

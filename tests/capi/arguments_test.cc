#include "capi/arguments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "capi/guard.h"

namespace obliq::capi {
namespace {

// Options as a first version, and as a later one that has a field more.
struct First {
  std::size_t size;
  std::int64_t k;
};
struct Later {
  std::size_t size;
  std::int64_t k;
  std::int64_t depth;
};

constexpr Later kDefaults = {sizeof(Later), 10, 5};

TEST(OptionsOfTheCInterface, OfAnOlderProgramHaveTheDefaultsOfNewerFields) {
  const First old = {sizeof(First), 3};
  Later options = kDefaults;
  read_options(reinterpret_cast<const Later*>(&old), options, "options", sizeof(First));
  EXPECT_EQ(options.k, 3);
  EXPECT_EQ(options.depth, 5);
}

TEST(OptionsOfTheCInterface, OfANewerProgramAreTakenWhileUnknownFieldsAreZero) {
  Later newer = {sizeof(Later), 3, 0};
  First options = {sizeof(First), 10};
  read_options(reinterpret_cast<const First*>(&newer), options, "options");
  EXPECT_EQ(options.k, 3);
  newer.depth = 1;
  EXPECT_THROW(read_options(reinterpret_cast<const First*>(&newer), options, "options"),
               std::invalid_argument);
}

TEST(OptionsOfTheCInterface, OfNoSizeAreRefused) {
  Later options = kDefaults;
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{7}, sizeof(Later) - 1, std::size_t{65537}, SIZE_MAX}) {
    const Later given = {size, 3, 4};
    EXPECT_THROW(read_options(&given, options, "options"), std::invalid_argument) << size;
  }
  EXPECT_EQ(options.k, kDefaults.k);
}

TEST(OptionsOfTheCInterface, AreNotWrittenBeyondTheSizeThatTheCallerHas) {
  std::array<std::int64_t, 3> bytes = {-1, -1, -1};
  init_options(reinterpret_cast<Later*>(bytes.data()), sizeof(First), kDefaults);
  EXPECT_THAT(bytes, testing::ElementsAre(16, 10, -1));
}

TEST(OptionsOfTheCInterface, HaveZerosBehindWhatIsKnown) {
  std::array<std::int64_t, 4> bytes = {-1, -1, -1, -1};
  init_options(reinterpret_cast<Later*>(bytes.data()), sizeof bytes, kDefaults);
  EXPECT_THAT(bytes, testing::ElementsAre(32, 10, 5, 0));
}

TEST(StatsOfTheCInterface, FillWhatTheCallerKnowsAndNoMore) {
  std::array<std::int64_t, 4> bytes = {16, -1, -1, -1};
  write_stats(kDefaults, reinterpret_cast<Later*>(bytes.data()), "stats", sizeof(First));
  EXPECT_THAT(bytes, testing::ElementsAre(16, 10, -1, -1));
  bytes = {32, -1, -1, -1};
  write_stats(kDefaults, reinterpret_cast<Later*>(bytes.data()), "stats", sizeof(First));
  EXPECT_THAT(bytes, testing::ElementsAre(32, 10, 5, 0));
}

TEST(BuffersOfTheCInterface, AreRefusedWhereTheyAreNullOrBeyondMemory) {
  const float value = 1;
  EXPECT_NO_THROW(matrix_of<float>(nullptr, 0, 5, "vectors"));
  EXPECT_THROW(matrix_of<float>(nullptr, 1, 5, "vectors"), std::invalid_argument);
  EXPECT_THROW(matrix_of(&value, SIZE_MAX / 2, 4, "vectors"), std::invalid_argument);
  EXPECT_THROW(matrix_of(&value, SIZE_MAX / 4, 1, "vectors"), std::invalid_argument);
}

TEST(TextsOfTheCInterface, HaveSizesOrEndWithAZero) {
  const std::array<const char*, 2> texts = {"abc", "d"};
  const std::array<std::size_t, 2> sizes = {2, 0};
  EXPECT_THAT(texts_of(texts.data(), nullptr, 2, "texts"), testing::ElementsAre("abc", "d"));
  EXPECT_THAT(texts_of(texts.data(), sizes.data(), 2, "texts"), testing::ElementsAre("ab", ""));
  const std::array<const char*, 1> none = {nullptr};
  EXPECT_THROW(texts_of(none.data(), nullptr, 1, "texts"), std::invalid_argument);
  EXPECT_THROW(texts_of(nullptr, nullptr, 1, "texts"), std::invalid_argument);
}

TEST(TextsOfTheCInterface, AreWrittenWholeOrNotAtAll) {
  std::string buffer(4, '.');
  std::size_t needed = 0;
  write_text("abc", buffer.data(), 4, &needed);
  EXPECT_EQ(needed, 4U);
  EXPECT_EQ(buffer, std::string("abc\0", 4));
  buffer = "....";
  EXPECT_THROW(write_text("abc", buffer.data(), 3, &needed), StatusError);
  EXPECT_EQ(buffer, "....");
}

TEST(ProgressOfTheCInterface, CountsMillionthsAndStopsWhereItIsToldTo) {
  std::vector<std::uint64_t> counts;
  const auto call = [](void* user, const char* stage, std::uint64_t done, std::uint64_t total) {
    EXPECT_STREQ(stage, "k-means");
    EXPECT_EQ(total, 1'000'000U);
    static_cast<std::vector<std::uint64_t>*>(user)->push_back(done);
    return done < 1'000'000 ? 0 : 1;
  };
  const Progress progress = progress_of(call, &counts);
  EXPECT_TRUE(progress("k-means", 0.25));
  EXPECT_FALSE(progress("k-means", 1));
  EXPECT_THAT(counts, testing::ElementsAre(250'000, 1'000'000));
  EXPECT_FALSE(progress_of(nullptr, nullptr));
}

}  // namespace
}  // namespace obliq::capi

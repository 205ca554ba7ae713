#include "index/filter/number_set.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>
#include <vector>

#include "core/random.h"

namespace obliq {
namespace {

constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

void expect_exact(const std::set<std::int64_t>& numbers) {
  const NumberSet set(std::vector<std::int64_t>(numbers.begin(), numbers.end()));
  std::set<std::int64_t> asked = {kLeast, -1, 0, 1, 2, 63, 64, 65, kMost};
  for (const std::int64_t number : numbers) {
    asked.insert({number, number == kLeast ? 0 : number - 1, number == kMost ? 0 : number + 1});
  }
  Random random(3);
  for (int i = 0; i < 1000; ++i) asked.insert(static_cast<std::int64_t>(random.next()));
  for (const std::int64_t number : asked) {
    EXPECT_EQ(set.has(number), numbers.contains(number)) << number;
    const bool is_hashed = !set.has_all_bits() && numbers.contains(number);
    EXPECT_TRUE(!is_hashed || set.may_have(number)) << number;
  }
}

TEST(NumberSet, has_what_it_was_made_of_and_nothing_else) {
  expect_exact({});
  expect_exact({7});
  expect_exact({0, 1, 2, 63, 64, 200});
  expect_exact({kLeast, kMost});
  expect_exact({kLeast, -1, 0, 1, 2, 3, kMost});
  std::set<std::int64_t> many;
  Random random(5);
  for (int i = 0; i < 3000; ++i) many.insert(static_cast<std::int64_t>(random.next()));
  expect_exact(many);
}

TEST(NumberSet, keeps_numbers_apart_whose_hashes_are_near) {
  std::set<std::int64_t> numbers;
  for (std::int64_t i = 0; i < 500; ++i) numbers.insert(i << 44);
  expect_exact(numbers);
}

}  // namespace
}  // namespace obliq

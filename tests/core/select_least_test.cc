#include "core/select_least.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/random.h"

namespace obliq {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kGreatest = std::numeric_limits<float>::max();

std::vector<std::uint32_t> selected(const std::vector<float>& values, std::size_t size) {
  constexpr std::uint32_t kUntouched = 0xABCDEF01;
  std::vector<std::uint32_t> out(values.size() + kSelectRoom + 1, kUntouched);
  const std::size_t found = select_least(values, size, out.data());
  EXPECT_EQ(out.back(), kUntouched);
  EXPECT_GE(found, size);
  out.resize(found);
  return out;
}

// Those up to some limit, and no others, in rising order.
void expect_least(const std::vector<float>& values, const std::vector<std::uint32_t>& places) {
  float limit = values[places[0]];
  for (const std::uint32_t place : places) limit = std::max(limit, values[place]);
  std::vector<std::uint32_t> expected;
  for (std::uint32_t i = 0; i < values.size(); ++i) {
    if (values[i] <= limit) expected.push_back(i);
  }
  EXPECT_EQ(places, expected);
}

// Normal, even, with a long tail, in two clumps, and with one value far away.
std::vector<std::vector<float>> laws(std::size_t n) {
  std::vector<std::vector<float>> all(5, std::vector<float>(n));
  Random random(n);
  for (std::size_t i = 0; i < n; ++i) {
    const auto x = static_cast<float>(random.gaussian());
    all[0][i] = 1 + 0.1F * x;
    all[1][i] = static_cast<float>(random.uniform());
    all[2][i] = std::exp(x);
    all[3][i] = x + (i % 5 == 0 ? -20.0F : 20.0F);
    all[4][i] = i == n / 2 ? -1e30F : x;
  }
  return all;
}

// What select_least.h says, whatever the law: no two of these values are equal, or hardly any.
TEST(SelectLeast, TakesAtMostAQuarterMore) {
  for (const std::size_t n : {1, 2, 17, 100, 300, 1536, 40000}) {
    for (const auto& values : laws(n)) {
      for (const std::size_t size : {std::size_t{1}, n / 100, n / 30, n / 5, n / 2, n - 1, n}) {
        if (size == 0) continue;
        const auto places = selected(values, size);
        EXPECT_LE(places.size(), size + size / 4 + 2) << n;
        expect_least(values, places);
      }
    }
  }
}

TEST(SelectLeast, TakesValuesOfAnySize) {
  for (const float size : {1e-45F, 1e-30F, 1e30F, kGreatest}) {
    std::vector<float> values(400);
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = size * (static_cast<float>(i * 37 % 400) / 200 - 1);
    }
    expect_least(values, selected(values, 50));
  }
}

TEST(SelectLeast, TakesInfiniteValues) {
  std::vector<float> values = laws(400)[0];
  for (std::size_t i = 0; i < 100; ++i) values[4 * i] = i % 2 == 0 ? -kInfinity : kInfinity;
  for (const std::size_t size : {10, 50, 120, 380}) expect_least(values, selected(values, size));
}

TEST(SelectLeast, TakesAllOfEqualValues) {
  EXPECT_EQ(selected(std::vector<float>(100, 3.0F), 10).size(), 100U);
}

}  // namespace
}  // namespace obliq

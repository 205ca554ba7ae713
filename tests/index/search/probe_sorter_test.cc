#include "index/search/probe_sorter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "core/random.h"

namespace obliq {
namespace {

std::vector<Probe> probes_of(const std::vector<float>& keys) {
  std::vector<Probe> probes;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    probes.push_back({keys[i], static_cast<std::uint32_t>(keys.size() - i), 0, 0});
  }
  return probes;
}

// Spread evenly, all in a few buckets because of one far away, in ties, hardly different, equal.
std::vector<std::vector<float>> all_keys() {
  std::vector<std::vector<float>> all(5, std::vector<float>(200));
  Random random(1);
  for (std::size_t i = 0; i < 200; ++i) {
    const auto x = static_cast<float>(random.gaussian());
    all[0][i] = x;
    all[1][i] = i == 77 ? 1e30F : x;
    all[2][i] = static_cast<float>(static_cast<int>(4 * x));
    all[3][i] = static_cast<float>(i % 3) * 1e-45F;
    all[4][i] = -1;
  }
  all.push_back({3});
  all.push_back({3, -2});
  return all;
}

TEST(ProbeSorter, BringsTheFirstInOrderAndTheOthersBehindThem) {
  ProbeSorter sorter;
  for (const auto& keys : all_keys()) {
    for (const std::size_t count : {std::size_t{1}, (keys.size() + 1) / 2, keys.size()}) {
      std::vector<Probe> probes = probes_of(keys);
      std::vector<Probe> expected = probes;
      std::sort(expected.begin(), expected.end(), Before{});
      sorter.sort(probes, count);
      ASSERT_EQ(probes.size(), expected.size());
      for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(probes[i].list, expected[i].list);
      std::sort(probes.begin(), probes.end(), Before{});
      for (std::size_t i = 0; i < probes.size(); ++i) {
        EXPECT_EQ(probes[i].list, expected[i].list) << "lost or doubled";
      }
    }
  }
}

TEST(ProbeSorter, TakesNothing) {
  ProbeSorter sorter;
  sorter.sort({}, 0);
}

}  // namespace
}  // namespace obliq

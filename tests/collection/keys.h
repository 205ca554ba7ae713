// Collections whose ids are strings, and what tests add to them.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "obliq/collection.h"
#include "tests/collection/vectors.h"

namespace obliq::testing {

inline constexpr std::size_t kKeyedDim = 8;

inline CollectionOptions keyed_options(IdType ids = IdType::string) {
  CollectionOptions options;
  options.dim = kKeyedDim;
  options.train_at = 1000;
  options.ids = ids;
  return options;
}

inline std::vector<std::string> keys_from(std::size_t first, std::size_t n) {
  std::vector<std::string> keys;
  for (std::size_t i = first; i < first + n; ++i) keys.push_back("key/" + std::to_string(i));
  return keys;
}

inline std::vector<std::string_view> views(const std::vector<std::string>& keys) {
  return {keys.begin(), keys.end()};
}

inline void add_keys(Collection& collection, std::size_t first, std::size_t n,
                     std::uint64_t seed = 1) {
  collection.add(random_vectors(n, kKeyedDim, seed).view(), views(keys_from(first, n)));
}

inline void upsert_keys(Collection& collection, std::size_t first, std::size_t n,
                        std::uint64_t seed = 1) {
  collection.upsert(random_vectors(n, kKeyedDim, seed).view(), views(keys_from(first, n)));
}

inline std::size_t remove_keys(Collection& collection, std::size_t first, std::size_t n) {
  return collection.remove(views(keys_from(first, n)));
}

inline std::set<std::string> keys_of(const Collection& collection) {
  std::set<std::string> keys;
  collection.for_each_key([&](std::int64_t, std::string_view key) {
    EXPECT_TRUE(keys.emplace(key).second) << key << " is there twice";
  });
  return keys;
}

}  // namespace obliq::testing

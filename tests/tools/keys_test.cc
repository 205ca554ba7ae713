// Collections whose ids are strings on the command line.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "obliq/collection.h"
#include "obliq/index.h"
#include "tests/tools/program.h"

namespace obliq::tools {
namespace {

using testing::HasSubstr;

/// 300 vectors, named "vector 0" to "vector 299" in a file.
class CollectionsOfKeys : public testing::Test {
 protected:
  CollectionsOfKeys() {
    must({"generate", "clustered", "--n", "300", "--dim", "16", "--queries", "5", "-k", "10", "-o",
          set_});
    std::ofstream out(keys_, std::ios::binary);
    for (int i = 0; i < 300; ++i) out << "vector " << i << (i % 2 == 0 ? "\n" : "\r\n");
  }
  static nlohmann::json told(const Outcome& outcome) {
    const auto lines = json_lines(outcome);
    return lines.empty() ? nlohmann::json() : lines.front();
  }
  static void expect_refused(const std::vector<std::string>& arguments, const std::string& why) {
    const Outcome outcome = run_obliq(arguments);
    EXPECT_EQ(outcome.exit_code, 2) << arguments[0];
    EXPECT_THAT(outcome.err, HasSubstr(why));
  }
  TemporaryFolder folder_;
  std::string set_ = folder_ / "set.hdf5";
  std::string keys_ = folder_ / "keys.txt";
  std::string collection_ = folder_ / "collection";
};

TEST_F(CollectionsOfKeys, AreAddedSearchedRemovedAndExported) {
  must({"add", collection_, set_, "--keys", keys_, "--rows", "0:200", "--batch", "70"});
  const auto added = told(
      must({"add", collection_, set_, "--keys", keys_, "--rows", "100:300", "--upsert", "--json"}));
  EXPECT_EQ(added["n"], 300);
  EXPECT_EQ(added["replaced"], 100);
  EXPECT_EQ(told(must({"info", collection_, "--json"}))["id_type"], "string");
  must({"add", folder_ / "numbered", set_});
  const auto numbers = json_lines(must({"search", folder_ / "numbered", set_, "--json"}));
  const auto texts = json_lines(must({"search", collection_, set_, "--json"}));
  ASSERT_EQ(texts.size(), 5U);
  for (std::size_t q = 0; q < texts.size(); ++q) {
    ASSERT_EQ(texts[q]["ids"].size(), 10U);
    for (std::size_t i = 0; i < 10; ++i) {
      EXPECT_EQ(texts[q]["ids"][i], "vector " + std::to_string(numbers[q]["ids"][i].get<int>()));
    }
  }
  EXPECT_THAT(must({"search", collection_, set_}).out,
              HasSubstr(texts[0]["ids"][0].get<std::string>()));
  const auto removed =
      told(must({"remove", collection_, "--key", "vector 7", "--key", "a,b", "--json"}));
  EXPECT_EQ(removed["removed"], 1);
  EXPECT_EQ(removed["ids"], 2);
  must({"export", collection_, "-o", folder_ / "x.obliq", "--keys", folder_ / "numbers.tsv"});
  const Index index = Index::open(folder_ / "x.obliq");
  std::ifstream in(folder_ / "numbers.tsv");
  std::size_t lines = 0;
  for (std::string line; std::getline(in, line); ++lines) {
    const std::size_t tab = line.find('\t');
    ASSERT_NE(tab, std::string::npos);
    EXPECT_TRUE(index.contains(std::stoll(line.substr(0, tab))));
    EXPECT_TRUE(line.substr(tab + 1).starts_with("vector "));
  }
  EXPECT_EQ(lines, 299U);
  EXPECT_EQ(told(must({"remove", collection_, "--keys", keys_, "--json"}))["n"], 0);
  must({"verify", collection_});
}

TEST_F(CollectionsOfKeys, AndThoseOfNumbersNameTheFlagOfTheOther) {
  must({"add", collection_, set_, "--keys", keys_});
  must({"add", folder_ / "numbered", set_});
  expect_refused({"add", collection_, set_}, "are strings: give them by --keys");
  expect_refused({"remove", collection_, "--id", "3"}, "are strings: give them by --keys");
  expect_refused({"remove", folder_ / "numbered", "--key", "3"}, "are numbers");
  expect_refused({"add", folder_ / "numbered", set_, "--keys", keys_}, "are numbers");
  expect_refused({"eval", collection_, set_}, "export an index");
  expect_refused({"search", collection_, set_, "-o", folder_ / "r.hdf5"}, "leave out --output");
  expect_refused({"export", folder_ / "numbered", "-o", folder_ / "x", "--keys", folder_ / "y"},
                 "are numbers");
  expect_refused({"add", collection_, set_, "--upsert"}, "--keys FILE");
  expect_refused({"add", collection_, set_, "--keys", keys_, "--ids", keys_}, "excludes");
  std::ofstream(keys_, std::ios::app) << "one more\n";
  expect_refused({"add", collection_, set_, "--keys", keys_}, "holds 301 lines");
}

}  // namespace
}  // namespace obliq::tools

// Columns of collections on the command line: obliq add --columns, update and add-column.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "obliq/collection.h"
#include "tests/tools/program.h"

namespace obliq::tools {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// 1,200 vectors, of which row i has year 2000 + i % 20 and lang en or, of each third, none.
class CollectionColumns : public testing::Test {
 protected:
  CollectionColumns() {
    must({"generate", "clustered", "--n", "1200", "--dim", "16", "--queries", "10", "-k", "10",
          "-o", set_});
    std::ofstream csv(csv_);
    csv << "year,lang\n";
    for (int i = 0; i < 1200; ++i) csv << 2000 + i % 20 << (i % 3 == 0 ? ",\n" : ",en\n");
  }

  void add(std::vector<std::string> flags = {}) const {
    flags.insert(flags.begin(), {"add", collection_, set_, "--columns", csv_});
    must(flags);
  }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }
  std::string refusal(const std::vector<std::string>& arguments) const {
    const Outcome outcome = run_obliq(arguments);
    EXPECT_EQ(outcome.exit_code, 2) << outcome.err;
    return outcome.err;
  }
  obliq::Columns values(const std::vector<std::int64_t>& ids) const {
    return Collection::open(collection_, {.read_only = true}).get_columns(ids);
  }
  /// Of the collection or the index at a path.
  static nlohmann::json columns_of(const std::string& path) {
    return json_lines(must({"info", path, "--json"}))[0]["columns"];
  }
  std::vector<nlohmann::json> filtered(const std::string& path, const std::string& filter) const {
    return json_lines(must({"search", path, set_, "--filter", filter, "--json"}));
  }

  TemporaryFolder folder_;
  std::string set_ = folder_ / "set.hdf5";
  std::string csv_ = folder_ / "columns.csv";
  std::string collection_ = folder_ / "collection";
};

TEST_F(CollectionColumns, AreAddedBatchByBatchWithTheirVectors) {
  add({"--batch", "700", "--rows", "100:1200"});
  const obliq::Columns columns = values({0, 5});
  ASSERT_EQ(columns.size(), 2);
  EXPECT_EQ(columns[0].name(), "year");
  EXPECT_EQ(columns[0].integer(0), 2000);
  EXPECT_EQ(columns[0].integer(1), 2005);
  EXPECT_EQ(columns[1].text(0), "en");
  EXPECT_TRUE(columns[1].is_null(1));  // row 105
  EXPECT_EQ(columns_of(collection_), nlohmann::json::parse(R"([{"name":"year","type":"int64"},
    {"name":"lang","type":"keyword"}])"));
}

// As a table that is added later may hold no fraction, no text and no value.
TEST_F(CollectionColumns, AreOfTheTypesOfTheCollectionFromThenOn) {
  write("columns.csv", "price,lang\n");
  std::ofstream more(csv_, std::ios::app);
  for (int i = 0; i < 1200; ++i) more << i << ".5,en\n";
  more.close();
  add();
  std::string whole = "price,lang\n";
  for (int i = 0; i < 1200; ++i) whole += "7,12\n";
  write("columns.csv", whole);
  add();
  const obliq::Columns columns = values({1200});
  EXPECT_EQ(columns[0].number(0), 7);
  EXPECT_EQ(columns[1].text(0), "12");
}

TEST_F(CollectionColumns, ChangeByUpdateWithoutTheirVectors) {
  add();
  const std::string news = write("news.csv", "id,lang\n3,de\n7,\n");
  const auto told = json_lines(must({"update", collection_, "--columns", news, "--json"}))[0];
  EXPECT_EQ(told["updated"], 2);
  EXPECT_EQ(told["n"], 1200);
  const obliq::Columns columns = values({3, 7, 8});
  EXPECT_EQ(columns[1].text(0), "de");
  EXPECT_TRUE(columns[1].is_null(1));
  EXPECT_EQ(columns[1].text(2), "en");
  EXPECT_EQ(columns[0].integer(0), 2003);
}

TEST_F(CollectionColumns, AreRefusedWhereIdsAreMissingOrUnknown) {
  add();
  const auto refused = [&](const std::string& text) {
    return refusal({"update", collection_, "--columns", write("news.csv", text), "--batch", "1"});
  };
  EXPECT_THAT(refused("lang\nde\n"), HasSubstr("give them as column id, or by --ids or --keys"));
  EXPECT_THAT(refused("id,lang\n3,de\n,de\n"), HasSubstr("column 'id', row 1: an id is missing"));
  EXPECT_THAT(refused("id,lang\n3,de\n9999,de\n"),
              HasSubstr("rows 1:2, the 1 before them are updated: "));
  EXPECT_THAT(refused("id\n3\n"), HasSubstr("there is no column but that of the ids"));
  EXPECT_THAT(refused("id,lagn\n3,de\n"), HasSubstr("lagn"));
  EXPECT_THAT(refusal({"update", collection_}), HasSubstr("name the new values: --columns"));
}

TEST_F(CollectionColumns, ComeLaterByAddColumn) {
  add();
  must({"add-column", collection_, "price=double", "tags=keywords"});
  EXPECT_EQ(columns_of(collection_).size(), 4);
  EXPECT_TRUE(values({5})[2].is_null(0));
  must({"update", collection_, "--columns", write("news.csv", "id,price,tags\n5,1,a|b\n")});
  EXPECT_EQ(values({5})[2].number(0), 1);
  EXPECT_THAT(values({5})[3].texts(0), ElementsAre("a", "b"));
  EXPECT_THAT(refusal({"add-column", collection_, "price=double"}), HasSubstr("price"));
  EXPECT_THAT(refusal({"add-column", collection_, "size"}),
              HasSubstr("a column must be NAME=TYPE, not 'size'"));
}

TEST_F(CollectionColumns, OfIdsThatAreStringsAreUpdatedByThem) {
  std::string keys;
  for (int i = 0; i < 1200; ++i) keys += "key" + std::to_string(i) + "\n";
  const std::string file = write("keys", keys);
  add({"--keys", file});
  must({"update", collection_, "--columns", write("news.csv", "id,lang\nkey3,de\n")});
  const auto found = filtered(collection_, "lang = 'de'");
  EXPECT_EQ(found[0]["ids"], nlohmann::json::parse(R"(["key3"])"));
  must({"update", collection_, "--columns", write("news.csv", "lang\nfr\n"), "--keys",
        write("some", "key9\n")});
  EXPECT_EQ(filtered(collection_, "lang = 'fr'")[0]["ids"], nlohmann::json::parse(R"(["key9"])"));
}

TEST_F(CollectionColumns, AreReturnedWithAnswersWhateverTheIdsAre) {
  add();
  must({"add-column", collection_, "price=double"});
  std::string keys;
  for (int i = 0; i < 1200; ++i) keys += "key" + std::to_string(i) + "\n";
  const std::string keyed = folder_ / "keyed";
  must({"add", keyed, set_, "--columns", csv_, "--keys", write("keys", keys)});
  must({"add-column", keyed, "price=double"});
  const std::vector<std::string> flags = {
      "-k", "100", "--filter", "year = 2003", "--json", "--return-columns", "year,price"};
  for (const std::string& collection : {collection_, keyed}) {
    std::vector<std::string> all = {"search", collection, set_};
    all.insert(all.end(), flags.begin(), flags.end());
    for (const auto& line : json_lines(must(all))) {
      ASSERT_EQ(line["ids"].size(), 60);  // of the 100 places
      EXPECT_EQ(line["columns"]["year"], nlohmann::json(std::vector<int>(60, 2003)));
      EXPECT_EQ(line["columns"]["price"].size(), 60);
      EXPECT_TRUE(line["columns"]["price"][0].is_null());
    }
  }
}

TEST_F(CollectionColumns, AreReturnedByRangeSearchesWhateverTheIdsAre) {
  add();
  std::string keys;
  for (int i = 0; i < 1200; ++i) keys += "key" + std::to_string(i) + "\n";
  const std::string keyed = folder_ / "keyed";
  must({"add", keyed, set_, "--columns", csv_, "--keys", write("keys", keys)});
  const auto search = [&](const std::string& collection) {
    return json_lines(must({"range-search", collection, set_, "--radius", "1000", "--filter",
                            "year = 2003", "--return-columns", "year", "--json"}));
  };
  const auto numbers = search(collection_);
  const auto texts = search(keyed);
  ASSERT_EQ(numbers.size(), 10);
  for (std::size_t q = 0; q < 10; ++q) {
    ASSERT_EQ(numbers[q]["ids"].size(), 60);
    EXPECT_EQ(numbers[q]["columns"]["year"], nlohmann::json(std::vector<int>(60, 2003)));
    EXPECT_EQ(texts[q]["columns"], numbers[q]["columns"]);
    for (std::size_t i = 0; i < 60; ++i) {
      EXPECT_EQ(texts[q]["ids"][i], "key" + std::to_string(numbers[q]["ids"][i].get<int>()));
    }
  }
  EXPECT_THAT(refusal({"range-search", keyed, set_, "--radius", "1", "-o", folder_ / "a.hdf5"}),
              HasSubstr("the ids of the collection are strings"));
}

// A column that was added and has no value is NULL in a filter, too.
TEST_F(CollectionColumns, WithoutAnyValueCanBeFilteredBy) {
  add();
  must({"add-column", collection_, "price=double"});
  EXPECT_EQ(filtered(collection_, "price is null and year = 2003")[0]["ids"].size(), 10);
  EXPECT_EQ(filtered(collection_, "price = 1")[0]["ids"].size(), 0);
}

TEST_F(CollectionColumns, RecallIsThatOfTheNeighboursThatPassTheFilter) {
  add();
  const auto point = json_lines(must({"eval", collection_, set_, "--filter", "year in (2003, 2004)",
                                      "--repeat", "1", "--json"}))[0];
  EXPECT_EQ(point["allowed"], 120);
  EXPECT_EQ(point["recall"], 1.0);  // no model yet: exact
}

TEST_F(CollectionColumns, GoWithExportsImportsAndCompactions) {
  add({"--train-at", "1000", "--wait"});
  const auto answers = filtered(collection_, "year = 2007 and lang is not null");
  ASSERT_EQ(answers[0]["ids"].size(), 10);
  must({"compact", collection_});
  EXPECT_EQ(filtered(collection_, "year = 2007 and lang is not null"), answers);
  const std::string index = folder_ / "index";
  must({"export", collection_, "-o", index});
  EXPECT_EQ(columns_of(index).size(), 2);
  EXPECT_EQ(filtered(index, "year = 2007 and lang is not null").size(), 10);
  const std::string other = folder_ / "other";
  must({"import", other, index});
  EXPECT_EQ(columns_of(other).size(), 2);
  for (const auto& line : filtered(other, "year = 2007 and lang is not null")) {
    for (const auto& id : line["ids"]) {
      EXPECT_EQ(id.get<int>() % 20, 7);
      EXPECT_NE(id.get<int>() % 3, 0);
    }
  }
}

}  // namespace
}  // namespace obliq::tools

// Columns, filters and range search of an index on the command line.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "datasets/dataset.h"
#include "datasets/hdf5_reader.h"
#include "datasets/range_truth.h"
#include "tests/tools/program.h"

namespace obliq::tools {
namespace {

using testing::AllOf;
using testing::Each;
using testing::HasSubstr;

constexpr int kVectors = 1600;

/// An index of 1,600 vectors with queries and columns of which row i has year 2000 + i % 20, lang
/// en, de or, of each tenth, none, and tags a and b0 to b4.
class Columns : public testing::Test {
 protected:
  Columns() {
    must({"generate", "clustered", "--n", std::to_string(kVectors), "--dim", "16", "--queries",
          "20", "-k", "10", "-o", set_});
    std::ofstream csv(csv_);
    csv << "year,lang,tags\n";
    for (int i = 0; i < kVectors; ++i) {
      csv << 2000 + i % 20 << ','
          << (i % 10 == 0  ? ""
              : i % 2 == 0 ? "en"
                           : "de")
          << ",a|b" << i % 5 << '\n';
    }
  }

  void build(std::vector<std::string> flags = {}) const {
    std::vector<std::string> all = {"build",          set_,           "-o",  index_,      "--raw",
                                    "fp32",           "--quantizer",  "sq8", "--columns", csv_,
                                    "--column-types", "tags=keywords"};
    all.insert(all.end(), flags.begin(), flags.end());
    must(all);
  }
  std::vector<nlohmann::json> search(std::vector<std::string> flags) const {
    std::vector<std::string> all = {"search", index_, set_, "-k", "5", "--json"};
    all.insert(all.end(), flags.begin(), flags.end());
    return json_lines(must(all));
  }
  static std::vector<std::int64_t> ids(const nlohmann::json& line) {
    return line["ids"].get<std::vector<std::int64_t>>();
  }
  std::string refusal(std::vector<std::string> arguments) const {
    const Outcome outcome = run_obliq(arguments);
    EXPECT_EQ(outcome.exit_code, 2) << outcome.err;
    return outcome.err;
  }

  TemporaryFolder folder_;
  std::string set_ = folder_ / "set.hdf5";
  std::string csv_ = folder_ / "columns.csv";
  std::string index_ = folder_ / "index";
};

TEST_F(Columns, FilterSearchesByExpressionsAndValues) {
  build();
  const auto written = search({"--filter", "year >= 2018 and lang in ('de') and tags = 'b4'"});
  ASSERT_EQ(written.size(), 20);
  for (const auto& line : written) {
    EXPECT_EQ(ids(line).size(), 5);
    for (const std::int64_t id : ids(line)) EXPECT_EQ(id % 20, 19);
  }
  EXPECT_EQ(search({"--filter", "year >= ? and lang in ? and tags = ?", "--param", "2018",
                    "--param", "[\"de\"]", "--param-text", "b4"}),
            written);
  for (const auto& line : search({"--filter", "lang is null"})) {
    for (const std::int64_t id : ids(line)) EXPECT_EQ(id % 10, 0);
  }
  EXPECT_TRUE(ids(search({"--filter", "year > 3000"})[0]).empty());
}

TEST_F(Columns, TellHowManyVectorsPassAndHowTheyWereFound) {
  build();
  const auto few = search({"--filter", "year = 2003", "--limit", "1", "--explain"})[0]["explain"];
  EXPECT_EQ(few["allowed"], 80);
  EXPECT_EQ(few["method"], "direct");
  EXPECT_EQ(few["end"], "all allowed");
  const auto most = search({"--filter", "year > 2000", "--limit", "1", "--explain"})[0]["explain"];
  EXPECT_EQ(most["allowed"], 1520);
  EXPECT_EQ(most["method"], "masked lists");
  EXPECT_EQ(search({"--limit", "1", "--explain"})[0]["explain"]["method"], "lists");
  EXPECT_THAT(must({"search", index_, set_, "--filter", "year = 2003", "--explain"}).out,
              HasSubstr("; 80 vectors pass the filter, by direct\n"));
}

TEST_F(Columns, AreReturnedWithAnswers) {
  build();
  for (const auto& line : search({"--return-columns", "lang,year", "--filter", "year < 2015"})) {
    const auto found = ids(line);
    ASSERT_EQ(line["columns"]["year"].size(), found.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_EQ(line["columns"]["year"][i], 2000 + found[i] % 20);
      EXPECT_EQ(line["columns"]["lang"][i].is_null(), found[i] % 10 == 0);
    }
  }
  EXPECT_THAT(must({"search", index_, set_, "--return-columns", "year", "--limit", "1"}).out,
              HasSubstr("distance  year"));
}

TEST_F(Columns, AreShownByInfoAndKeptByParts) {
  build();
  const auto told = json_lines(must({"info", index_, "--json"}))[0];
  EXPECT_EQ(told["columns"], nlohmann::json::parse(R"([{"name":"lang","type":"keyword"},
    {"name":"tags","type":"keywords"},{"name":"year","type":"int64"}])"));
  EXPECT_GT(told["column_bytes"], 0);
  const std::string model = folder_ / "model";
  must({"train", set_, "-o", model, "--raw", "fp32", "--quantizer", "sq8"});
  std::vector<std::string> parts;
  for (const std::string rows : {"0:700", "700:1600"}) {
    parts.push_back(folder_ / ("part" + rows.substr(0, 1)));
    must({"encode", model, set_, "-o", parts.back(), "--rows", rows, "--columns", csv_,
          "--column-types", "tags=keywords"});
  }
  EXPECT_EQ(json_lines(must({"info", parts[0], "--json"}))[0]["columns"], true);
  must({"merge", model, parts[0], parts[1], "-o", folder_ / "merged"});
  const auto answers = [&](const std::string& index) {
    return must({"search", index, set_, "-k", "5", "--json", "--filter", "year = 2007"}).out;
  };
  EXPECT_EQ(answers(folder_ / "merged"), answers(index_));
}

TEST_F(Columns, ComeFromArraysToo) {
  Matrix<std::int64_t> rank(kVectors, 1);
  for (std::size_t i = 0; i < rank.rows; ++i) rank.values[i] = static_cast<std::int64_t>(i / 100);
  const std::string npy = folder_ / "rank.npy";
  datasets::write_ids(npy, rank.view());
  build({"--column", "rank=" + npy});
  for (const auto& line : search({"--filter", "rank = 3 and year = 2001"})) {
    for (const std::int64_t id : ids(line)) EXPECT_EQ(id / 100 * 20 + id % 20, 61);
  }
}

TEST_F(Columns, OfOtherFilesAreRefusedWithARemedy) {
  const auto refused = [&](std::vector<std::string> flags) {
    flags.insert(flags.begin(), {"build", set_, "-o", index_});
    return refusal(flags);
  };
  EXPECT_THAT(refused({"--columns", "t.parquet"}),
              AllOf(HasSubstr("Parquet is not read"), HasSubstr("c.write_csv(p.read_table(")));
  EXPECT_THAT(refused({"--columns", "t.npy"}), HasSubstr("give it as --column NAME=t.npy"));
  EXPECT_THAT(refused({"--column", "t.npy"}), HasSubstr("--column must be NAME=FILE"));
  EXPECT_THAT(refused({"--columns", csv_, "--column-types", "yaer=int64"}),
              HasSubstr("--column-types yaer=int64: no file has such a column"));
  EXPECT_THAT(refused({"--columns", csv_, "--column-types", "year=integer"}),
              HasSubstr("unknown column type 'integer'"));
  EXPECT_THAT(refused({"--columns", csv_, "--columns", csv_}),
              HasSubstr("two files have a column 'year'"));
  EXPECT_THAT(refused({"--columns", csv_, "--column-types", "lang=int64"}),
              HasSubstr(csv_ + ": column 'lang', row 1: 'de' is no int64"));
  std::ofstream(folder_ / "short.csv") << "a\n1\n2\n";
  EXPECT_THAT(refused({"--columns", folder_ / "short.csv"}),
              HasSubstr("column 'a' has 2 values, " + set_ + " holds 1600 vectors"));
  EXPECT_THAT(refusal({"build", set_, "--columns", csv_, "-o", csv_}),
              HasSubstr("is to be read and written"));
}

TEST_F(Columns, ThatAreSkippedAreNotStored) {
  build({"--column-types", "lang=skip"});
  EXPECT_THAT(must({"info", index_}).out, HasSubstr("tags keywords, year int64"));
}

TEST_F(Columns, FaultsOfFiltersAreShownWithACaretBelowThem) {
  build();
  EXPECT_EQ(refusal({"search", index_, set_, "--filter", "lang = 'en' and yaer >= 2020"}),
            "obliq search: filter: there is no column 'yaer'; did you mean 'year'?\n"
            "  lang = 'en' and yaer >= 2020\n"
            "                  ^\n");
  EXPECT_THAT(refusal({"search", index_, set_, "--filter", "year = ?"}), HasSubstr("filter: "));
  EXPECT_THAT(refusal({"search", index_, set_, "--param", "1"}), HasSubstr("--filter"));
}

TEST_F(Columns, SearchesTakeIdsThatAreAllowedOrDenied) {
  build();
  Matrix<std::int64_t> some(3, 1);
  some.values = {7, 100, 1500};
  const std::string file = folder_ / "ids.npy";
  datasets::write_ids(file, some.view());
  for (const auto& line : search({"--allow-ids", file})) {
    auto found = ids(line);
    std::sort(found.begin(), found.end());
    EXPECT_EQ(found, some.values);
  }
  for (const auto& line : search({"--allow-ids", file, "--filter", "year = 2007"})) {
    EXPECT_EQ(ids(line), std::vector<std::int64_t>{7});
  }
  for (const auto& line : search({"--deny-ids", file})) {
    EXPECT_THAT(ids(line), Each(testing::AllOf(testing::Ne(7), testing::Ne(100))));
  }
  EXPECT_THAT(refusal({"search", index_, set_, "--allow-ids", file, "--deny-ids", file}),
              HasSubstr("--deny-ids"));
}

TEST_F(Columns, FiltersAreNamedInResultFiles) {
  build();
  const std::string results = folder_ / "results.hdf5";
  must({"search", index_, set_, "--filter", "year = ?", "--param", "2007", "-o", results});
  EXPECT_THAT(*datasets::Hdf5Reader(results).text_attribute("name"),
              testing::EndsWith(",--filter year = ? --param 2007"));
}

// All lists and raw vectors: nothing but the filter tells which neighbours are true.
TEST_F(Columns, RecallIsThatOfTheNeighboursThatPassTheFilter) {
  build();
  const auto point = json_lines(must({"eval", index_, set_, "--filter", "year in (2003, 2004)",
                                      "--nprobe", "1000", "--confidence", "1", "--json"}))[0];
  EXPECT_EQ(point["allowed"], 160);
  EXPECT_EQ(point["recall"], 1.0);
  EXPECT_THAT(refusal({"eval", index_, set_, "--filter", "year = 1"}),
              HasSubstr("no vector passes the filter"));
}

}  // namespace
}  // namespace obliq::tools

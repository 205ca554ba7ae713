// The commands from set to answer, on a small clustered set, through the real program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <numeric>
#include <set>

#include "core/safe_norm.h"
#include "datasets/dataset.h"
#include "obliq/index.h"
#include "tests/tools/program.h"

namespace obliq::tools {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr std::size_t kN = 1200;

std::string read_bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void write_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

class Commands : public testing::Test {
 protected:
  Commands() {
    must({"generate", "clustered", "--n", std::to_string(kN), "--dim", "24", "--queries", "20",
          "-k", "20", "--metric", "cosine", "--seed", "5", "-o", set_});
  }

  /// Runs what has to succeed.
  nlohmann::json build(std::vector<std::string> flags = {}) {
    std::vector<std::string> arguments = {"build", set_, "-o", index_, "--nlist", "12", "--json"};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    const auto lines = json_lines(must(arguments));
    return lines.empty() ? nlohmann::json() : lines.front();
  }

  TemporaryFolder folder_;
  std::string set_ = folder_ / "set.hdf5";
  std::string index_ = folder_ / "index.obliq";
};

TEST_F(Commands, BuildTakesTheMetricOfTheSetAndTellsWhatItBuilt) {
  const auto built = build();
  EXPECT_EQ(built["metric"], "cosine");
  EXPECT_EQ(built["n"], kN);
  EXPECT_EQ(built["dim"], 24);
  EXPECT_EQ(built["nlist"], 12);
  EXPECT_EQ(built["quantizer"], "sq8");
  EXPECT_EQ(built["file_bytes"], std::filesystem::file_size(index_));
}

TEST_F(Commands, BuildWarnsOnceOfListsThatHoldFewVectorsUnlessItChoseThem) {
  const auto warnings = [&](const std::vector<std::string>& flags) {
    std::vector<std::string> arguments = {"build", set_, "-o", index_};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    return must(arguments).err;
  };
  const std::string few = warnings({"--nlist", "121"});
  EXPECT_THAT(few, HasSubstr("121 lists for 1200 vectors hold fewer than 10 each"));
  EXPECT_THAT(few, HasSubstr("leave out --nlist"));
  EXPECT_EQ(few.find("lists for"), few.rfind("lists for"));
  EXPECT_THAT(warnings({"--nlist", "5000"}), HasSubstr("1200 lists for 1200 vectors"));
  EXPECT_THAT(warnings({"--nlist", "120"}), IsEmpty());
  EXPECT_THAT(warnings({}), IsEmpty());  // 138 lists
}

TEST_F(Commands, BuildPresetsChooseQuantizerRawAndSpillUnlessTheyAreGiven) {
  const auto fast = build({"--preset", "fast"});
  EXPECT_EQ(fast["quantizer"], "sq8");
  EXPECT_NEAR(fast["spill"].get<double>(), .5, .05);
  EXPECT_EQ(build({"--preset", "small"})["quantizer"], "lm4");
  EXPECT_EQ(build({"--preset", "tiny"})["quantizer"], "lm2");
  const auto exact = build({"--preset", "exact"});
  EXPECT_EQ(exact["quantizer"], "sq8");
  EXPECT_EQ(exact["raw"], "fp32");
  EXPECT_NEAR(exact["spill"].get<double>(), .5, .05);
  const auto mixed = build({"--preset", "exact", "--quantizer", "lm3", "--raw", "fp16"});
  EXPECT_EQ(mixed["quantizer"], "lm3");
  EXPECT_EQ(mixed["raw"], "fp16");
  EXPECT_NEAR(build({})["spill"].get<double>(), .5, .05);
  EXPECT_EQ(build({"--quantizer", "sq8"})["spill"], 0);
  EXPECT_NEAR((build({"--quantizer", "lm4", "--spill", ".25"})["spill"].get<double>()), .25, .05);
}

TEST_F(Commands, BuildWritesTheSameBytesWithAnyNumberOfThreads) {
  build({"--threads", "1"});
  const std::string one = read_bytes(index_);
  build({"--threads", "3"});
  EXPECT_TRUE(read_bytes(index_) == one);
  build({"--seed", "2"});
  EXPECT_FALSE(read_bytes(index_) == one);
}

TEST_F(Commands, BuildNamesTheValidQuantizersWhenOneIsUnknown) {
  const Outcome outcome = run_obliq({"build", set_, "-o", index_, "--quantizer", "pq8"});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("'pq8'"));
  EXPECT_THAT(outcome.err, HasSubstr("sq8, lm{1..8}"));
  EXPECT_FALSE(std::filesystem::exists(index_));
}

TEST_F(Commands, BuildRefusesASpillThatIsNoShareAndANlistThatIsNoNumber) {
  for (const char* share : {"1.5", "-1", "x"}) {
    const Outcome outcome = run_obliq({"build", set_, "-o", index_, "--spill", share});
    EXPECT_EQ(outcome.exit_code, 2);
    EXPECT_THAT(outcome.err, HasSubstr("spill"));
  }
  EXPECT_EQ(run_obliq({"build", set_, "-o", index_, "--list-groups", "-1"}).exit_code, 2);
  EXPECT_EQ(run_obliq({"build", set_, "-o", index_, "--nlist", "0"}).exit_code, 2);
  EXPECT_EQ(run_obliq({"build", set_, "-o", index_, "--nlist", "1e3"}).exit_code, 2);
}

TEST_F(Commands, SpilledVectorsAreToldByInfoAndCountedByEval) {
  const double spill = build({"--spill", ".5"})["spill"];
  EXPECT_NEAR(spill, .5, .05);  // a quantile of the sample
  EXPECT_EQ(json_lines(must({"info", index_, "--json"})).at(0)["spill"], spill);
  EXPECT_EQ(run_obliq({"verify", index_}).exit_code, 0);
  const auto lines = json_lines(must({"eval", index_, set_, "--nprobe", "12", "--json"}));
  EXPECT_NEAR(lines.at(0)["entries"].get<double>(), kN * (1 + spill), 1e-6 * kN);
}

TEST_F(Commands, ReadingAheadChangesNoAnswer) {
  build({"--spill", ".5"});
  const auto plain = must({"search", index_, set_, "-k", "5", "--json"}).out;
  EXPECT_EQ(must({"search", index_, set_, "-k", "5", "--json", "--read-ahead"}).out, plain);
  const std::vector<std::string> eval = {"eval", index_, set_, "--nprobe", "3", "--json"};
  auto ahead = eval;
  ahead.insert(ahead.end(), {"--mapped", "--read-ahead"});
  const auto expected = json_lines(must(eval)).at(0);
  const auto found = json_lines(must(ahead)).at(0);
  for (const char* name : {"recall", "lists", "entries", "refined"}) {
    EXPECT_EQ(found[name], expected[name]) << name;
  }
  EXPECT_EQ(run_obliq({"eval", index_, set_, "--read-ahead"}).exit_code, 2);
}

TEST_F(Commands, BuildNamesTheRowThatHoldsANaN) {
  Matrix<float> base(10, 4);
  base.row(7)[2] = std::numeric_limits<float>::quiet_NaN();
  datasets::write_vectors(folder_ / "nan.fvecs", MatrixSource(base.view()));
  const Outcome outcome = run_obliq({"build", folder_ / "nan.fvecs", "-o", index_});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("vector 7 holds NaN in column 2"));
}

/// The numbers of the rows whose nearest centroid, on the unit sphere, is each of `centroids`.
std::vector<std::set<std::int64_t>> rows_of_lists(const Matrix<float>& base,
                                                  const Matrix<float>& centroids) {
  std::vector<std::set<std::int64_t>> lists(centroids.rows);
  for (std::size_t i = 0; i < base.rows; ++i) {
    std::size_t best = 0;
    double most = -std::numeric_limits<double>::infinity();
    for (std::size_t l = 0; l < centroids.rows; ++l) {
      const float* c = centroids.row(l);
      const double product = std::inner_product(c, c + base.cols, base.row(i), 0.0);
      const double cosine = product / std::sqrt(std::inner_product(c, c + base.cols, c, 0.0));
      if (cosine > most) best = l;
      most = std::max(most, cosine);
    }
    lists[best].insert(static_cast<std::int64_t>(i));
  }
  return lists;
}

TEST_F(Commands, BuildTakesCentroidsAndIdsFromFiles) {
  constexpr std::int64_t kFirstId = 5000;
  Matrix<std::int64_t> ids(kN, 1);
  for (std::size_t i = 0; i < kN; ++i) ids.values[i] = kFirstId + static_cast<std::int64_t>(i);
  datasets::write_ids(folder_ / "ids.npy", ids.view());
  const auto set = datasets::read_set(set_);
  Matrix<float> centroids(12, set.train.cols);  // k-means would not choose base vectors
  std::copy_n(set.train.values.begin(), centroids.values.size(), centroids.values.begin());
  // Of unit length, so that the nearest one is that of the least angle.
  for (std::size_t l = 0; l < centroids.rows; ++l) normalise(centroids.row(l), centroids.cols);
  datasets::write_vectors(folder_ / "centroids.fvecs", MatrixSource(centroids.view()));
  const auto built = build({"--ids", folder_ / "ids.npy", "--centroids",
                            folder_ / "centroids.fvecs", "--quantizer", "sq8"});
  EXPECT_EQ(built["id_bytes"], 12 * kN);
  // One probe without pruning finds the nearest rows of one list: those nearest to one centroid,
  // but for a few at the borders, which move since centroids are stored in int8. Nearest rows of
  // all lists, or of lists that k-means makes, lie in several of these.
  const auto lists = rows_of_lists(set.train, centroids);
  const auto lines = json_lines(
      must({"search", index_, set_, "-k", "10", "--nprobe", "1", "--confidence", "1", "--json"}));
  ASSERT_THAT(lines, SizeIs(set.test.rows));
  double held = 0;
  for (const auto& line : lines) {
    std::vector<std::size_t> counts;
    for (const auto& list : lists) {
      counts.push_back(0);
      for (const std::int64_t id : line["ids"]) counts.back() += list.count(id - kFirstId);
    }
    held += static_cast<double>(*std::max_element(counts.begin(), counts.end())) / 10;
  }
  EXPECT_GT(held / static_cast<double>(lines.size()), .95);
}

TEST_F(Commands, InfoTellsEveryFieldOfTheContract) {
  build({"--quantizer", "lm4"});
  const auto lines = json_lines(must({"info", index_, "--json"}));
  ASSERT_THAT(lines, SizeIs(1));
  for (const char* field :
       {"dim", "metric", "n", "nlist", "list_groups", "quantizer", "raw", "spill",
        "bytes_per_vector", "id_bytes", "centroid_bytes", "file_bytes", "format_version", "simd",
        "tuning", "default_threads", "default_threads_from"}) {
    EXPECT_TRUE(lines[0].contains(field)) << field;
  }
  EXPECT_THAT(must({"info", index_}).out, HasSubstr("quantizer"));
}

TEST_F(Commands, SearchGivesEveryVectorWhenKIsAboveN) {
  const auto set = datasets::read_set(set_);
  datasets::write_vectors(folder_ / "few.fvecs", MatrixSource(set.train.view().slice(0, 6)));
  datasets::write_vectors(folder_ / "q.fvecs", MatrixSource(set.test.view().slice(0, 2)));
  must({"build", folder_ / "few.fvecs", "-o", index_, "--nlist", "2"});
  const auto lines = json_lines(must({"search", index_, folder_ / "q.fvecs", "-k", "50", "--nprobe",
                                      "2", "--confidence", "1", "--json"}));
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_THAT(lines[1]["ids"], SizeIs(6));
  EXPECT_THAT(lines[1]["distances"], SizeIs(6));
}

TEST_F(Commands, SearchFindsTheTrueNeighboursWithEverythingProbed) {
  build({"--preset", "exact"});
  const auto set = datasets::read_set(set_, datasets::ReadTrain::no);
  const auto lines = json_lines(must({"search", index_, set_, "-k", "5", "--nprobe", "12",
                                      "--confidence", "1", "--limit", "3", "--json"}));
  ASSERT_THAT(lines, SizeIs(3));
  for (std::size_t q = 0; q < 3; ++q) {
    const auto* right = set.truth.ids.row(q);
    EXPECT_EQ(lines[q]["ids"].get<std::vector<std::int64_t>>(),
              std::vector<std::int64_t>(right, right + 5));
  }
}

TEST_F(Commands, SearchWritesAResultFileWithTheSameAnswers) {
  build();
  const auto lines = json_lines(must({"search", index_, set_, "-k", "4", "--json"}));
  must({"search", index_, set_, "-k", "4", "-o", folder_ / "results.hdf5"});
  const auto ids = datasets::read_ids(folder_ / "results.hdf5", "neighbors");
  ASSERT_EQ(ids.rows, lines.size());
  for (std::size_t q = 0; q < ids.rows; ++q) {
    EXPECT_EQ(lines[q]["ids"].get<std::vector<std::int64_t>>(),
              std::vector<std::int64_t>(ids.row(q), ids.row(q) + 4));
  }
}

TEST_F(Commands, EvalWritesALineForEachNprobe) {
  build({"--quantizer", "lm6"});
  const auto lines = json_lines(must({"eval", index_, set_, "-k", "10", "--nprobe", "1,4,12",
                                      "--repeat", "2", "--confidence", "1", "--json"}));
  ASSERT_THAT(lines, SizeIs(3));
  for (const auto& line : lines) {
    for (const char* field : {"recall", "recall_ties", "qps", "qps_min", "qps_max", "p50_us",
                              "p99_us", "bytes_per_vector", "entries", "refined"}) {
      EXPECT_TRUE(line[field].is_number()) << field;
    }
    EXPECT_EQ(line["k"], 10);
    EXPECT_EQ(line["threads"], 1);
    EXPECT_TRUE(line["simd"].is_string());
  }
  EXPECT_EQ(lines[2]["nprobe"], 12);
  EXPECT_EQ(lines[2]["entries"], kN);  // every list of an index without spill
  EXPECT_LE(lines[0]["recall"], lines[2]["recall"]);
}

TEST_F(Commands, EvalBeginsWithTheDefaultWhereNothingIsNamed) {
  build();
  const auto lines = json_lines(must({"eval", index_, set_, "--repeat", "1", "--json"}));
  ASSERT_THAT(lines, SizeIs(6));  // and nprobe 1, 2, 4, 8, 12
  EXPECT_FALSE(lines[0].contains("nprobe") || lines[0].contains("target_recall"));
  EXPECT_GE(lines[0]["recall"], .9);
  EXPECT_EQ(lines[5]["nprobe"], 12);
  EXPECT_THAT(must({"eval", index_, set_, "--repeat", "1"}).out, HasSubstr("default"));
}

TEST_F(Commands, SearchByDefaultAnswersAsTheLibraryDoes) {
  build();
  const auto set = datasets::read_set(set_);
  const Index index = Index::open(index_);
  for (const std::size_t k : {10U, 1000U}) {
    const auto found = index.search(set.test.view(), {.k = k});
    const auto lines =
        json_lines(must({"search", index_, set_, "-k", std::to_string(k), "--json"}));
    ASSERT_EQ(lines.size(), set.test.rows);
    for (std::size_t q = 0; q < lines.size(); ++q) {
      EXPECT_EQ(lines[q]["ids"].get<std::vector<std::int64_t>>(),
                std::vector<std::int64_t>(found.ids.row(q), found.ids.row(q) + k));
    }
  }
}

TEST_F(Commands, TuneTellsHowTargetRecallsAreReachedAndSearchesAimAtThem) {
  build({"--no-tune"});
  EXPECT_TRUE(json_lines(must({"info", index_, "--json"})).at(0)["tuning"].is_null());
  EXPECT_EQ(run_obliq({"search", index_, set_, "--target-recall", ".9"}).exit_code, 2);
  const auto tuned =
      json_lines(must({"tune", index_, "--learn-queries", set_ + ":test", "--json"}));
  EXPECT_EQ(tuned.at(0)["tuning"]["queries"], 20);
  EXPECT_EQ(tuned.at(0)["tuning"]["ladders"].at(1)["k"], 10);
  must({"search", index_, set_, "--target-recall", ".9"});
  EXPECT_EQ(build()["tuning"]["queries"], 60);  // a twentieth
  const auto lines = json_lines(must({"eval", index_, set_, "--nprobe", "12", "--target-recall",
                                      ".8,.9", "--repeat", "1", "--json"}));
  ASSERT_THAT(lines, SizeIs(3));
  EXPECT_EQ(lines[0]["nprobe"], 12);
  EXPECT_EQ(lines[2]["target_recall"], .9);
  EXPECT_FALSE(lines[2].contains("nprobe"));
  EXPECT_THAT(must({"info", index_}).out, HasSubstr("tuned with 60 base vectors"));
}

TEST_F(Commands, EvalFindsEverythingInAnExactIndexWithEverythingProbed) {
  build({"--preset", "exact"});
  for (const char* mode : {"--json", "--batch"}) {
    const auto lines = json_lines(must({"eval", index_, set_, "--nprobe", "12", "--repeat", "1",
                                        "--confidence", "1", "--json", mode}));
    EXPECT_EQ(lines.at(0)["recall_ties"], 1);
  }
}

TEST_F(Commands, EvalRefusesASetOfAnotherMetricAndATruthThatIsTooShort) {
  build({"--metric", "l2"});
  const Outcome metric = run_obliq({"eval", index_, set_});
  EXPECT_EQ(metric.exit_code, 2);
  EXPECT_THAT(metric.err, HasSubstr("is for metric cosine"));
  EXPECT_THAT(metric.err, HasSubstr("build with --metric cosine"));
  build();
  const Outcome shortage = run_obliq({"eval", index_, set_, "-k", "21"});
  EXPECT_EQ(shortage.exit_code, 2);
  EXPECT_THAT(shortage.err, HasSubstr("fewer than k = 21"));
}

TEST_F(Commands, SearchRefusesQueriesOfAnotherDim) {
  build();
  Matrix<float> queries(1, 7);
  datasets::write_vectors(folder_ / "q.fvecs", MatrixSource(queries.view()));
  const Outcome outcome = run_obliq({"search", index_, folder_ / "q.fvecs"});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("24"));
}

TEST_F(Commands, VerifyTellsSoundFromDamagedFromMissing) {
  build();
  EXPECT_THAT(must({"verify", index_}).out, HasSubstr("sound"));
  std::string bytes = read_bytes(index_);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  write_bytes(index_, bytes);
  const Outcome damaged = run_obliq({"verify", index_, "--json"});
  EXPECT_EQ(damaged.exit_code, 1);
  EXPECT_THAT(damaged.err, HasSubstr(index_));
  EXPECT_THAT(damaged.err, HasSubstr("section"));
  EXPECT_THAT(damaged.err, HasSubstr("offset"));
  EXPECT_EQ(json_lines(damaged).at(0)["sound"], false);
  EXPECT_EQ(run_obliq({"verify", folder_ / "none"}).exit_code, 2);
}

TEST_F(Commands, EveryReaderRefusesAnIndexThatIsCut) {
  build();
  write_bytes(index_, read_bytes(index_).substr(0, 1000));
  for (const auto& arguments : std::vector<std::vector<std::string>>{{"info", index_},
                                                                     {"verify", index_},
                                                                     {"search", index_, set_},
                                                                     {"eval", index_, set_}}) {
    const Outcome outcome = run_obliq(arguments);
    EXPECT_EQ(outcome.exit_code, 1) << arguments[0];
    EXPECT_THAT(outcome.err, HasSubstr(index_));
  }
}

}  // namespace
}  // namespace obliq::tools

// The commands that make and measure sets: generate, convert, groundtruth, distortion, matmul,
// bench, demo.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "datasets/dataset.h"
#include "datasets/groundtruth.h"
#include "tests/tools/program.h"
#include "tools/measure/faiss_peer.h"

namespace obliq::tools {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::SizeIs;
using testing::StartsWith;

const std::string kSample =
    std::string(OBLIQ_SOURCE_DIR) + "/datasets/sample/sample-384-angular.hdf5";

std::string file_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void expect_unit_rows(const std::string& path) {
  const auto rows = datasets::read_all(*datasets::open_vectors(path));
  for (std::size_t i = 0; i < rows.rows; ++i) {
    double square = 0;
    for (std::size_t d = 0; d < rows.cols; ++d) square += double{rows.row(i)[d]} * rows.row(i)[d];
    EXPECT_NEAR(square, 1, 1e-5) << i;
  }
}

class Sets : public testing::Test {
 protected:
  Sets() { EXPECT_EQ(generate(set_, "3").exit_code, 0); }

  static Outcome generate(const std::string& path, const std::string& seed) {
    return run_obliq({"generate", "clustered", "--n", "400", "--dim", "16", "--queries", "10", "-k",
                      "12", "--seed", seed, "-o", path, "--json"});
  }

  TemporaryFolder folder_;
  std::string set_ = folder_ / "set.hdf5";
};

TEST_F(Sets, GenerateDependsOnTheSeedAlone) {
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // a file must not tell its second
  generate(folder_ / "again.hdf5", "3");
  generate(folder_ / "other.hdf5", "4");
  const auto set = datasets::read_set(set_);
  EXPECT_EQ(file_bytes(folder_ / "again.hdf5"), file_bytes(set_));
  EXPECT_NE(set.train.values, datasets::read_set(folder_ / "other.hdf5").train.values);
  EXPECT_EQ(set.train.rows, 400U);
  EXPECT_EQ(set.test.rows, 10U);
  EXPECT_EQ(set.truth.ids.cols, 12U);
}

TEST_F(Sets, GenerateKeepsTheTruthOfTheHalvesThatItStores) {
  const std::string halves = folder_ / "halves.hdf5";
  const std::string again = folder_ / "again.hdf5";
  EXPECT_EQ(run_obliq({"generate",
                       "clustered",
                       "--n",
                       "400",
                       "--dim",
                       "16",
                       "--queries",
                       "10",
                       "--learn-queries",
                       "7",
                       "--query-alpha",
                       "0.1",
                       "--query-skew",
                       "0.5",
                       "--query-shift",
                       "0.2",
                       "--float16",
                       "-k",
                       "12",
                       "-o",
                       halves})
                .exit_code,
            0);
  EXPECT_EQ(run_obliq({"groundtruth", halves, halves, "-k", "12", "-o", again}).exit_code, 0);
  const auto set = datasets::read_set(halves);
  EXPECT_EQ(set.learn_queries.rows, 7U);
  EXPECT_EQ(set.truth.ids.values, datasets::read_set(again).truth.ids.values);
  EXPECT_EQ(set.truth.distances.values, datasets::read_set(again).truth.distances.values);
  EXPECT_LT(std::filesystem::file_size(halves), std::filesystem::file_size(again));
}

TEST_F(Sets, GroundtruthFindsWhatGenerateStored) {
  const std::string again = folder_ / "again.hdf5";
  EXPECT_EQ(run_obliq({"groundtruth", set_, set_, "-k", "12", "-o", again}).exit_code, 0);
  EXPECT_EQ(datasets::read_set(again).truth.ids.values, datasets::read_set(set_).truth.ids.values);
  const std::string alone = folder_ / "truth.bin";
  EXPECT_EQ(run_obliq({"groundtruth", set_, set_, "-k", "12", "-o", alone}).exit_code, 0);
  EXPECT_EQ(datasets::read_truth_bin(alone).ids.values, datasets::read_set(set_).truth.ids.values);
  EXPECT_EQ(run_obliq({"groundtruth", set_, set_, "-o", folder_ / "truth.txt"}).exit_code, 2);
}

TEST_F(Sets, CentroidsMakeIndexesWithTheSameLists) {
  const std::string file = folder_ / "centroids.npy";
  EXPECT_EQ(run_obliq({"centroids", set_, "-o", file, "--nlist", "9"}).exit_code, 0);
  EXPECT_EQ(datasets::read_all(*datasets::open_vectors(file)).rows, 9U);
  const auto built = json_lines(run_obliq(
      {"build", set_, "--centroids", file, "--nlist", "9", "-o", folder_ / "a.obliq", "--json"}));
  EXPECT_EQ(built[0]["nlist"], 9);
  const std::string unit = folder_ / "unit.npy";
  run_obliq({"centroids", set_, "-o", unit, "--nlist", "400", "--metric", "cosine"});
  expect_unit_rows(unit);  // each row is its own centroid
  EXPECT_EQ(run_obliq({"centroids", set_, "-o", file, "--nlist", "401"}).exit_code, 2);
}

TEST_F(Sets, ConvertKeepsVectorsThroughEveryFloatFormat) {
  const auto train = datasets::read_set(set_).train;
  std::string input = set_ + ":train";
  for (const char* name : {"a.fvecs", "a.fbin", "a.npy", "a.h5"}) {
    EXPECT_EQ(run_obliq({"convert", input, "-o", folder_ / name}).exit_code, 0) << name;
    input = folder_ / name;
    EXPECT_EQ(datasets::read_all(*datasets::open_vectors(input)).values, train.values) << name;
  }
}

TEST_F(Sets, ConvertMakesASetOfLooseFiles) {
  const auto set = datasets::read_set(set_);
  ASSERT_EQ(run_obliq({"convert", set_, "-o", folder_ / "base.fvecs"}).exit_code, 0);
  ASSERT_EQ(run_obliq({"convert", set_ + ":test", "-o", folder_ / "q.fvecs"}).exit_code, 0);
  ASSERT_EQ(run_obliq({"convert", set_, "--ids", "-o", folder_ / "truth.ivecs"}).exit_code, 0);
  const Outcome outcome =
      run_obliq({"convert", folder_ / "base.fvecs", "--queries", folder_ / "q.fvecs", "--truth",
                 folder_ / "truth.ivecs", "-o", folder_ / "made.hdf5"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const auto made = datasets::read_set(folder_ / "made.hdf5");
  EXPECT_EQ(made.train.values, set.train.values);
  EXPECT_EQ(made.truth.ids.values, set.truth.ids.values);
  for (std::size_t i = 0; i < set.truth.distances.values.size(); ++i) {
    const float right = set.truth.distances.values[i];
    EXPECT_NEAR(made.truth.distances.values[i], right, 1e-5F * right);  // float sums and roots
  }
}

// Row i of the set's vectors times a size whose square is no float, or 1.
Matrix<float> of_any_length(Matrix<float> x) {
  constexpr float kSizes[] = {1e-25F, 1, 1e25F, 1e-38F, 1e36F};
  for (std::size_t i = 0; i < x.rows; ++i) {
    for (std::size_t j = 0; j < x.cols; ++j) x.row(i)[j] *= kSizes[i % std::size(kSizes)];
  }
  return x;
}

TEST_F(Sets, TakesVectorsOfAnyLengthUnderCosine) {
  const auto set = datasets::read_set(set_);
  const auto write = [&](const std::string& name, const Matrix<float>& x) {
    datasets::write_vectors(folder_ / name, MatrixSource(x.view()));
    return std::string(folder_ / name);
  };
  const auto truth_of = [&](const std::string& base, const std::string& queries) {
    const std::string path = folder_ / "truth.hdf5";
    run_obliq({"groundtruth", base, queries, "--metric", "cosine", "-k", "5", "-o", path});
    return datasets::read_set(path).truth;
  };
  const auto plain = truth_of(write("b.npy", set.train), write("q.npy", set.test));
  const std::string base = write("scaled_b.npy", of_any_length(set.train));
  const std::string queries = write("scaled_q.npy", of_any_length(set.test));
  const auto found = truth_of(base, queries);
  EXPECT_EQ(found.ids.values, plain.ids.values);
  datasets::write_ids(folder_ / "ids.ivecs", found.ids.view());
  run_obliq({"convert", base, "--queries", queries, "--truth", folder_ / "ids.ivecs", "--metric",
             "cosine", "-o", folder_ / "made.hdf5"});
  EXPECT_EQ(datasets::read_set(folder_ / "made.hdf5").truth.distances.values,
            found.distances.values);
  for (std::size_t i = 0; i < found.ids.values.size(); ++i) {
    EXPECT_NEAR(found.distances.values[i], plain.distances.values[i], 1e-5);
  }
  const std::string unit = folder_ / "unit.npy";
  run_obliq({"centroids", base, "-o", unit, "--nlist", "400", "--metric", "cosine"});
  expect_unit_rows(unit);
}

TEST_F(Sets, ConvertRefusesTruthForOtherQueriesAndAnUnknownFormat) {
  Matrix<std::int64_t> ids(3, 2);
  datasets::write_ids(folder_ / "truth.ivecs", ids.view());
  const Outcome outcome = run_obliq({"convert", set_, "--queries", set_ + ":test", "--truth",
                                     folder_ / "truth.ivecs", "-o", folder_ / "made.hdf5"});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("for 3 queries, but there are 10"));
  EXPECT_EQ(run_obliq({"convert", set_, "-o", folder_ / "a.txt"}).exit_code, 2);
}

TEST(MatmulCommand, SetsCodesBesideTheIdealChannelAndItsBound) {
  const auto lines = json_lines(run_obliq({"matmul", "--specs", "lm2,e8q4:k1", "--bits", "1,2",
                                           "--rho", "0,.8", "--dim", "256", "--json"}));
  ASSERT_THAT(lines, SizeIs(8));
  for (const auto& line : lines) {
    const double error = line["error"];
    EXPECT_GT(error, .98 * line["gamma"].get<double>());
    if (line["code"] == "ideal channel") {
      EXPECT_NEAR(error / line["bound"].get<double>(), 1, .02);  // 4 x 64 x 64 products
    } else {
      EXPECT_GT(error, 1.2 * line["gamma"].get<double>());
    }
  }
  EXPECT_EQ(lines[0]["rho"], 0);
  EXPECT_EQ(lines[7]["rho"], .8);
  EXPECT_THAT(run_obliq({"matmul", "--specs", "lm1", "--bits", "1", "--dim", "16"}).out,
              HasSubstr("error/bound"));
  EXPECT_EQ(run_obliq({"matmul", "--specs", "lm9"}).exit_code, 2);
  EXPECT_EQ(run_obliq({"matmul", "--rho", "2"}).exit_code, 2);
  EXPECT_EQ(run_obliq({"matmul", "--dim", "0"}).exit_code, 2);
}

TEST(DistortionCommand, WritesTheFieldsOfTheContract) {
  const auto lines = json_lines(run_obliq({"distortion", "--specs", "lm2,tqp2:gaussian", "--dim",
                                           "32", "--samples", "500", "--rho", "0,.5", "--json"}));
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_EQ(lines[1]["spec"], "tqp2:gaussian");
  for (const char* field : {"bits", "bytes_per_vector", "mse", "gap_bits", "shannon", "floor",
                            "encode_per_s", "products_per_s"}) {
    EXPECT_TRUE(lines[0][field].is_number()) << field;
  }
  EXPECT_THAT(lines[0]["ip_bias"], SizeIs(2));
  EXPECT_THAT(lines[0]["ip_var_d"], SizeIs(2));
  EXPECT_GT(lines[0]["encode_per_s"], 0);
}

TEST(DistortionCommand, MeasuresSpeedAndKeepsHistograms) {
  const auto lines =
      json_lines(run_obliq({"distortion", "--specs", "lm2", "--dim", "32", "--samples", "100",
                            "--data", "onehot", "--histogram", "8", "--json"}));
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_GT(lines[0]["products_per_s"], 0);
  ASSERT_THAT(lines[0]["ip_histograms"], SizeIs(3));
  EXPECT_THAT(lines[0]["ip_histograms"][0]["counts"], SizeIs(8));
}

TEST(DistortionCommand, WeighsErrorsByQueries) {
  const auto power = json_lines(run_obliq(
      {"distortion", "--specs", "lm2", "--samples", "500", "--queries", "powerlaw:1", "--json"}));
  ASSERT_THAT(power, SizeIs(1));
  EXPECT_NEAR(power[0]["query_mse"], power[0]["shrunk_mse"], .02);
  EXPECT_NEAR(power[0]["water_filling"], .03046, 5e-6);  // dim 128, 2 bits
  EXPECT_NEAR(power[0]["random_coding"], .03050, 5e-6);
  const auto file = json_lines(run_obliq({"distortion", "--specs", "lm2", "--samples", "100",
                                          "--data", kSample, "--queries", kSample, "--json"}));
  ASSERT_THAT(file, SizeIs(1));
  EXPECT_LT(file[0]["water_filling"], 1.0 / 16);  // real queries have preferred directions
}

TEST(DistortionCommand, KeepsTheLinesOfItsChart) {
  const auto png = std::filesystem::path(testing::TempDir()) / "rate_distortion.png";
  const Outcome outcome =
      run_obliq({"distortion", "--specs", "lm1", "--dim", "16", "--samples", "50", "--plot", png});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.out, HasSubstr("chart: "));  // where it is, or what it needs
  auto path = png;
  std::ifstream file(path.replace_extension(".jsonl"));
  std::string first;
  std::string second;
  ASSERT_TRUE(std::getline(file, first) && std::getline(file, second));
  const auto limits = nlohmann::json::parse(first)["limits"];
  EXPECT_EQ(limits["bits"].size(), limits["product"].size());
  EXPECT_EQ(nlohmann::json::parse(second)["spec"], "lm1");
}

TEST(DistortionCommand, RefusesUnknownSpecsDataAndAnotherDim) {
  EXPECT_EQ(run_obliq({"distortion", "--specs", "lm9"}).exit_code, 2);
  EXPECT_EQ(run_obliq({"distortion", "--specs", "lm2", "--rho", "2"}).exit_code, 2);
  const Outcome dim = run_obliq({"distortion", "--specs", "lm2", "--data", kSample, "--dim", "5"});
  EXPECT_EQ(dim.exit_code, 2);
  EXPECT_THAT(dim.err, HasSubstr("has dim 384"));
}

TEST_F(Sets, BenchMeasuresObliqAlone) {
  const Outcome outcome =
      run_obliq({"bench", set_, "--specs", "lm4,sq8", "--nlist", "4", "--nprobe", "1,4", "--repeat",
                 "1", "--mode", "both", "--out", folder_ / "out.jsonl", "--json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const auto lines = json_lines(outcome);
  ASSERT_THAT(lines, SizeIs(2 * 2 * 2));
  EXPECT_EQ(lines[0]["method"], "obliq lm4");
  EXPECT_EQ(lines[0]["nlist"], 4);
  EXPECT_THAT(lines[0]["date"].get<std::string>(), MatchesRegex("20..-[01].-[0-3]."));
  EXPECT_THAT(lines[0]["version"].get<std::string>(), StartsWith("obliq 0."));
  EXPECT_TRUE(lines[0].contains("cpu"));
  EXPECT_EQ(lines[7]["mode"], "batch");
  EXPECT_TRUE(std::filesystem::exists(folder_ / "out.jsonl"));
}

TEST_F(Sets, BenchSaysThatFaissIsMissing) {
  if (has_faiss()) GTEST_SKIP() << "FAISS is here";
  const Outcome outcome = run_obliq({"bench", set_, "--against", "faiss", "--json"});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("install libfaiss-dev"));
}

TEST_F(Sets, BenchComparesWithFaiss) {
  if (!has_faiss()) GTEST_SKIP() << "FAISS is not here";
  const Outcome outcome =
      run_obliq({"bench", set_, "--against", "faiss", "--specs", "lm8", "--faiss-spec", "Flat",
                 "--faiss-spec", "PQ8x4fs,Refine(SQ8)", "--nlist", "4", "--nprobe", "4", "--repeat",
                 "1", "--confidence", "1", "--json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const auto lines = json_lines(outcome);
  ASSERT_THAT(lines, SizeIs(3));
  EXPECT_EQ(lines[1]["method"], "faiss IVF,Flat");
  EXPECT_EQ(lines[1]["recall_ties"], 1);  // every list scanned exactly
  EXPECT_EQ(lines[1]["bytes_per_vector"], 4 * 16);
  EXPECT_EQ(lines[2]["method"], "faiss IVF,PQ8x4fs,Refine(SQ8) k_factor=8");
}

TEST_F(Sets, BenchRefusesFlagsThatWouldDoNothing) {
  const Outcome plot = run_obliq({"bench", set_, "--plot", folder_ / "chart.png"});
  EXPECT_EQ(plot.exit_code, 2);
  EXPECT_THAT(plot.err, HasSubstr("--out"));
  EXPECT_EQ(run_obliq({"bench", set_, "--faiss-spec", "Flat"}).exit_code, 2);
  EXPECT_EQ(run_obliq({"bench", set_, "--against", "scann"}).exit_code, 2);
}

/// Part of the sample, labels and all, so that the demo is quick under a sanitizer too.
datasets::BenchmarkSet part_of_sample() {
  auto set = datasets::read_set(kSample);
  set.train.rows = 1500;
  set.train.values.resize(set.train.rows * set.train.cols);
  set.train_labels.resize(set.train.rows);
  set.test.rows = 30;
  set.test.values.resize(set.test.rows * set.test.cols);
  set.test_labels.resize(set.test.rows);
  set.truth =
      datasets::ground_truth(MatrixSource(set.train.view()), set.test.view(), 10, set.metric, 1);
  return set;
}

TEST(Demo, ShowsNeighboursByTheirLabelsAndKeepsTheResults) {
  const TemporaryFolder folder;
  const auto set = part_of_sample();
  datasets::write_set(folder / "part.hdf5", set);
  const Outcome outcome = run_obliq({"demo", "--data", folder / "part.hdf5", "--out",
                                     folder / "demo", "--repeat", "1", "--threads", "1"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("query 1: " + set.test_labels[1]));
  const auto nearest = static_cast<std::size_t>(set.truth.ids.row(1)[0]);
  EXPECT_THAT(outcome.out, HasSubstr(set.train_labels[nearest].substr(0, 60)));
  EXPECT_THAT(outcome.out, HasSubstr("bytes per vector"));
  EXPECT_THAT(outcome.out, HasSubstr("chart"));
  EXPECT_TRUE(std::filesystem::exists(folder / "demo/results.jsonl"));
  EXPECT_TRUE(std::filesystem::exists(folder / "demo/lm4.obliq"));
}

}  // namespace
}  // namespace obliq::tools

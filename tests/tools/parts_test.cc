// Indexes made in parts: obliq train, encode and merge, and the commands that take their files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <numeric>
#include <regex>
#include <string>
#include <vector>

#include "datasets/dataset.h"
#include "obliq/model.h"
#include "tests/tools/program.h"

namespace obliq::tools {
namespace {

using testing::HasSubstr;

std::string content(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// A base of 1,200 vectors, its model, and three segments of it.
class Parts : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder = new TemporaryFolder;
    must({"generate", "clustered", "--n", "1200", "--dim", "16", "--queries", "20", "-k", "10",
          "-o", path("set.hdf5")});
    must({"train", path("set.hdf5"), "-o", path("model")});
    const std::vector<std::string> ranges = {"0:500", "500:501", "501:1200"};
    for (std::size_t i = 0; i < ranges.size(); ++i) {
      must({"encode", path("model"), path("set.hdf5"), "--rows", ranges[i], "-o", part(i)});
    }
    must({"build", path("set.hdf5"), "-o", path("whole")});
  }
  static void TearDownTestSuite() {
    delete folder;
    folder = nullptr;
  }
  static std::string path(const std::string& name) { return *folder / name; }
  static std::string part(std::size_t i) { return path("part" + std::to_string(i)); }

  static Matrix<float> base() { return datasets::read_set(path("set.hdf5")).train; }
  static void write_ids(const std::string& name, const std::vector<std::int64_t>& ids) {
    datasets::write_ids(path(name), {ids.data(), ids.size(), 1});
  }
  /// The least number of bytes that a command with --max-memory asks for.
  static std::string least_memory(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--max-memory", "1KB", "-o", path("refused")});
    expect_refused(arguments, "max_memory of 1000 bytes is too little to " + arguments[0]);
    const std::string message = run_obliq(arguments).err;
    std::smatch found;
    EXPECT_TRUE(std::regex_search(message, found, std::regex("allow ([0-9]+) or more"))) << message;
    return found[1];
  }

  static void expect_refused(const std::vector<std::string>& arguments, const std::string& why) {
    const Outcome outcome = run_obliq(arguments);
    EXPECT_EQ(outcome.exit_code, 2) << arguments[0];
    EXPECT_THAT(outcome.err, HasSubstr(why));
    EXPECT_FALSE(std::filesystem::exists(path("refused")));
  }

  static inline TemporaryFolder* folder = nullptr;
};

TEST_F(Parts, MergeInAnyOrderToTheFileOfASingleBuild) {
  const Outcome outcome =
      must({"merge", path("model"), part(2), part(0), part(1), "-o", path("merged"), "--json"});
  EXPECT_TRUE(content(path("merged")) == content(path("whole")));
  const auto json = json_lines(outcome).at(0);
  EXPECT_EQ(json["n"], 1200);
  EXPECT_EQ(json["model"], json_lines(must({"info", path("model"), "--json"})).at(0)["model"]);
}

TEST_F(Parts, MergeTwiceToTheSameFile) {
  must({"merge", path("model"), part(2), part(0), "--segment", "-o", path("both")});
  must({"merge", path("model"), part(1), path("both"), "-o", path("twice")});
  EXPECT_TRUE(content(path("twice")) == content(path("whole")));
}

TEST_F(Parts, AreSearchedTogetherAsTheirMerge) {
  const auto answers = [&](std::vector<std::string> flags) {
    flags.insert(flags.begin(), {"search"});
    flags.insert(flags.end(),
                 {path("set.hdf5"), "--nprobe", "1000", "--confidence", "1", "--json"});
    return must(flags).out;
  };
  const std::string merged = answers({path("whole")});
  EXPECT_EQ(
      json_lines(must({"eval", path("model"), path("set.hdf5"), "--nprobe", "1000", "--repeat", "1",
                       "--json", "--segment", part(0), "--segment", part(1), "--segment", part(2)}))
          .size(),
      1U);
  EXPECT_EQ(
      answers({path("model"), "--segment", part(0), "--segment", part(1), "--segment", part(2)}),
      merged);
}

TEST_F(Parts, OfOneFileHaveThePositionsOfItsRows) {
  const auto ids = [&](const std::string& vectors, std::vector<std::string> flags) {
    flags.insert(flags.begin(), {"encode", path("model"), vectors, "-o", path("other")});
    must(flags);
    return content(path("other"));
  };
  must({"convert", path("set.hdf5"), "-o", path("base.npy")});
  EXPECT_TRUE(ids(path("base.npy"), {"--rows", "501:1200"}) == content(part(2)));
  EXPECT_TRUE(ids(path("base.npy"), {"--rows", "501:1200", "--first", "1"}) != content(part(2)));
}

TEST_F(Parts, OfFilesOfTheirOwnCountPositionsFromTheFirst) {
  const Matrix<float> all = base();
  datasets::write_vectors(path("tail.fbin"), MatrixSource(all.view().slice(501, 699)));
  const std::string tail = path("tail");
  must({"encode", path("model"), path("tail.fbin"), "--first", "501", "-o", tail});
  EXPECT_TRUE(content(tail) == content(part(2)));
  must({"encode", path("model"), path("tail.fbin"), "-o", tail});
  EXPECT_FALSE(content(tail) == content(part(2)));
}

TEST_F(Parts, WithoutTruthAreMergedToTheFileOfABuildThatDoesNotTune) {
  const std::string set = path("set.hdf5");
  must({"build", set, "--no-tune", "-o", path("untuned")});
  EXPECT_FALSE(content(path("untuned")) == content(path("whole")));
  must({"merge", path("model"), part(0), part(1), part(2), "--no-tune", "-o", path("merged")});
  EXPECT_TRUE(content(path("merged")) == content(path("untuned")));
  must({"encode", path("model"), set, "--no-truth", "-o", path("no-truth")});
  EXPECT_EQ(json_lines(must({"info", path("no-truth"), "--json"})).at(0)["truth"], false);
  EXPECT_EQ(json_lines(must({"info", part(0), "--json"})).at(0)["truth"], true);
  must({"merge", path("model"), path("no-truth"), "-o", path("merged")});
  EXPECT_TRUE(content(path("merged")) == content(path("untuned")));
}

TEST_F(Parts, AreMergedWithoutTheIdsToDelete) {
  write_ids("gone.npy", {0, 1199, 4711});
  must({"merge", path("model"), part(0), part(1), part(2), "--deleted", path("gone.npy"), "-o",
        path("left")});
  EXPECT_EQ(json_lines(must({"info", path("left"), "--json"})).at(0)["n"], 1198);
  const auto lines = json_lines(must({"search", path("left"), path("set.hdf5") + ":train", "-k",
                                      "1", "--nprobe", "1000", "--confidence", "1", "--json"}));
  ASSERT_EQ(lines.size(), 1200U);
  std::size_t own = 0;  // nearest to itself, but where codes put another before it
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::int64_t id = lines[i]["ids"].at(0);
    EXPECT_TRUE(id > 0 && id < 1199) << i;
    own += id == static_cast<std::int64_t>(i) ? 1 : 0;
  }
  EXPECT_GT(own, 1150U);
}

TEST_F(Parts, MadeInLittleMemoryAreTheSame) {
  const std::string set = path("set.hdf5");
  const std::vector<std::string> encode = {"encode", path("model"), set};
  must({"encode", path("model"), set, "-o", path("one")});
  // The least takes runs of 1,024 vectors: two.
  must({"encode", path("model"), set, "--max-memory", least_memory(encode), "-o", path("runs")});
  EXPECT_TRUE(content(path("runs")) == content(path("one")));
  const std::vector<std::string> merge = {"merge", path("model"), part(0), part(1), part(2)};
  std::vector<std::string> bounded = merge;
  bounded.insert(bounded.end(), {"--max-memory", least_memory(merge), "-o", path("merged")});
  must(bounded);
  EXPECT_TRUE(content(path("merged")) == content(path("whole")));
}

TEST_F(Parts, HaveTheSameModelWhereOnlyTheSampleIsGiven) {
  const Matrix<float> all = base();
  BuildOptions options;
  options.nlist = 20;
  options.kmeans_points = 20;
  std::vector<std::int64_t> ids(all.rows);
  std::iota(ids.begin(), ids.end(), 0);
  std::sort(ids.begin(), ids.end(),
            [](std::int64_t a, std::int64_t b) { return sample_key(1, a) < sample_key(1, b); });
  ids.resize(sample_size(all.rows, options));
  ASSERT_EQ(ids.size(), 400U);
  Matrix<float> sample(ids.size(), all.cols);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    std::copy_n(all.row(static_cast<std::size_t>(ids[i])), all.cols, sample.row(i));
  }
  datasets::write_vectors(path("sample.fbin"), MatrixSource(sample.view()));
  write_ids("sample.npy", ids);
  const auto train = [&](const std::string& vectors, std::vector<std::string> flags) {
    flags.insert(flags.begin(),
                 {"train", vectors, "--nlist", "20", "--kmeans-points", "20", "-o", path("other")});
    must(flags);
    return content(path("other"));
  };
  const std::string whole = train(path("set.hdf5"), {});
  const std::string given = path("sample.fbin");
  EXPECT_TRUE(train(given, {"--ids", path("sample.npy"), "--n", "1200"}) == whole);
  EXPECT_FALSE(train(given, {"--ids", path("sample.npy")}) == whole);
  EXPECT_FALSE(train(given, {"--n", "1200"}) == whole);
}

TEST_F(Parts, OfOneFileHaveTheIdsOfItsRows) {
  Matrix<std::int64_t> ids(1200, 1);
  for (std::size_t i = 0; i < ids.rows; ++i) ids.values[i] = 7000 - 3 * static_cast<int>(i);
  datasets::write_ids(path("ids.npy"), ids.view());
  std::vector<std::string> merge = {"merge", path("model"), "-o", path("of ids"), "--no-tune"};
  for (const std::string range : {"0:700", "700:1200"}) {
    merge.push_back(path("ids " + range));
    must({"encode", path("model"), path("set.hdf5"), "--ids", path("ids.npy"), "--rows", range,
          "-o", merge.back()});
  }
  must(merge);
  const Index index = Index::open(path("of ids"));
  EXPECT_TRUE(index.contains(7000));
  EXPECT_TRUE(index.contains(7000 - 3 * 1199));
  EXPECT_FALSE(index.contains(1199));
  datasets::write_ids(path("some.npy"), ids.view().slice(0, 400));
  merge.insert(merge.end(), {"--deleted", path("some.npy")});
  must(merge);
  EXPECT_EQ(Index::open(path("of ids")).stats().n, 800U);
}

TEST_F(Parts, TellWhatTheyAre) {
  const auto model = json_lines(must({"info", path("model"), "--json"})).at(0);
  EXPECT_EQ(model["kind"], "model");
  EXPECT_EQ(model["n"], 1200);
  const auto segment = json_lines(must({"info", part(0), "--json"})).at(0);
  EXPECT_EQ(segment["kind"], "segment");
  EXPECT_EQ(segment["n"], 500);
  EXPECT_EQ(segment["model"], model["model"]);
  EXPECT_THAT(must({"verify", path("model")}).out, HasSubstr("sound (model "));
  EXPECT_THAT(must({"verify", part(0)}).out, HasSubstr("checksums only"));
  EXPECT_THAT(must({"verify", part(0), "--model", path("model")}).out, HasSubstr("500 vectors"));
}

TEST_F(Parts, ThatAreDamagedAreNotSound) {
  std::string bytes = content(part(0));
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  std::ofstream(path("damaged"), std::ios::binary) << bytes;
  const Outcome outcome = run_obliq({"verify", path("damaged")});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("section"));
}

TEST_F(Parts, AreRefusedWithValueAndRemedy) {
  const std::string model = path("model");
  const std::string set = path("set.hdf5");
  const std::string out = path("refused");
  expect_refused({"train", set, "--n", "5", "-o", out}, "--n 5 is less than the 1200 vectors");
  expect_refused({"encode", model, set, "--rows", "5", "-o", out}, "--rows must be A:B");
  expect_refused({"encode", model, set, "--rows", "5:5", "-o", out}, "not '5:5'");
  expect_refused({"encode", model, set, "--rows", "0:1201", "-o", out}, "end at 1200");
  expect_refused({"merge", model, part(0), "--lists", "9:99999", "-o", out}, "9:99999");
  expect_refused({"merge", model, part(0), part(0), "-o", out}, part(0));
  must({"train", set, "--seed", "2", "-o", path("model2")});
  expect_refused({"merge", path("model2"), part(0), "-o", out}, "it was encoded with the model");
  expect_refused({"verify", model, "--model", model}, "leave out --model");
}

}  // namespace
}  // namespace obliq::tools

// Collections on the command line: obliq add, remove, compact and export, and the commands that
// take a directory where they take an index.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "datasets/dataset.h"
#include "obliq/collection.h"
#include "tests/tools/program.h"

namespace obliq::tools {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::string content(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// 1,600 vectors with queries.
class Collections : public testing::Test {
 protected:
  Collections() {
    must({"generate", "clustered", "--n", "1600", "--dim", "16", "--queries", "20", "-k", "10",
          "-o", set_});
  }

  static nlohmann::json told(const Outcome& outcome) {
    const auto lines = json_lines(outcome);
    return lines.empty() ? nlohmann::json() : lines.front();
  }
  nlohmann::json add(std::vector<std::string> flags) const {
    flags.insert(flags.begin(), {"add", collection_, set_, "--json"});
    return told(must(flags));
  }
  /// Of all lists, so that it does not matter how they are chosen.
  std::string answers(const std::string& path) const {
    return must({"search", path, set_, "--nprobe", "1000", "--confidence", "1", "--json"}).out;
  }
  void expect_refused(const std::vector<std::string>& arguments, const std::string& why) const {
    const Outcome outcome = run_obliq(arguments);
    EXPECT_EQ(outcome.exit_code, 2) << arguments[0];
    EXPECT_THAT(outcome.err, HasSubstr(why));
  }
  /// A file of the collection whose name begins so.
  fs::path file(const std::string& prefix) const {
    for (const auto& entry : fs::directory_iterator(collection_)) {
      if (entry.path().filename().string().starts_with(prefix)) return entry.path();
    }
    ADD_FAILURE() << "no file " << prefix;
    return {};
  }

  TemporaryFolder folder_;
  std::string set_ = folder_ / "set.hdf5";
  std::string collection_ = folder_ / "collection";
};

TEST_F(Collections, AreAddedToSearchedRemovedFromCompactedAndExported) {
  const auto added = add({"--train-at", "1000", "--batch", "300", "--wait"});
  EXPECT_EQ(added["added"], 1600);
  EXPECT_EQ(added["first_id"], 0);
  EXPECT_EQ(added["exact"], false);
  const std::string before = answers(collection_);
  const std::int64_t id = json_lines({0, before, {}}).at(0)["ids"].at(0);
  const std::string absent = std::to_string(id) + ",99999";
  EXPECT_EQ(told(must({"remove", collection_, "--id", absent, "--json"}))["removed"], 1);
  const std::string after = answers(collection_);
  EXPECT_NE(after, before);
  EXPECT_NE(json_lines({0, after, {}}).at(0)["ids"].at(0), id);
  EXPECT_EQ(told(must({"info", collection_, "--json"}))["deleted_rows"], 1);
  const auto compacted = told(must({"compact", collection_, "--json"}));
  EXPECT_EQ(compacted["segments"], 1);
  EXPECT_EQ(compacted["deleted_rows"], 0);
  EXPECT_EQ(compacted["n"], 1599);
  EXPECT_EQ(answers(collection_), after);
  must({"export", collection_, "-o", folder_ / "index"});
  EXPECT_EQ(answers(folder_ / "index"), after);
}

TEST_F(Collections, TakeRowsIdsAndReplacements) {
  Matrix<std::int64_t> ids(1600, 1);
  for (std::size_t i = 0; i < ids.rows; ++i) ids.values[i] = 5000 + static_cast<std::int64_t>(i);
  const std::string file = folder_ / "ids.npy";
  datasets::write_ids(file, ids.view());
  EXPECT_EQ(add({"--ids", file, "--rows", "100:200", "--batch", "7"})["n"], 100);
  expect_refused({"add", collection_, set_, "--ids", file, "--rows", "90:110", "--batch", "5"},
                 "rows 100:105 of " + set_ + ", the 10 before them are added: id 5100 is there");
  const auto replaced = add({"--ids", file, "--rows", "150:250", "--upsert"});
  EXPECT_EQ(replaced["n"], 160);
  EXPECT_EQ(replaced["replaced"], 50);
  const Collection collection = Collection::open(collection_, {.read_only = true});
  EXPECT_TRUE(collection.contains(5090));
  EXPECT_FALSE(collection.contains(5250));
  EXPECT_EQ(told(must({"remove", collection_, "--ids", file, "--json"}))["n"], 0);
}

TEST_F(Collections, LetOneWriterInAndReadersBesideIt) {
  add({"--rows", "0:100"});
  const Collection writer = Collection::open(collection_);
  const Outcome outcome = run_obliq({"add", collection_, set_});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("process " + std::to_string(::getpid())));
  EXPECT_THAT(must({"verify", collection_}).out, HasSubstr("sound (100 x 16"));
  EXPECT_EQ(told(must({"info", collection_, "--json"}))["n"], 100);
}

TEST_F(Collections, AreNotSoundWhenAByteOfAFileFlipsOrAFileIsMissing) {
  add({"--train-at", "1000", "--wait"});
  must({"remove", collection_, "--id", "1"});
  must({"verify", collection_});
  for (const std::string prefix : {"seg-", "model-", "MANIFEST-", "log-"}) {
    const fs::path path = file(prefix);
    const std::string sound = content(path);
    std::string bytes = sound;
    char& byte = bytes[prefix == "log-" ? 20 : bytes.size() / 2];
    byte = static_cast<char>(byte ^ 1);
    std::ofstream(path, std::ios::binary) << bytes;
    const Outcome outcome = run_obliq({"verify", collection_, "--json"});
    EXPECT_EQ(outcome.exit_code, 1) << prefix;
    EXPECT_THAT(outcome.err, HasSubstr(prefix));
    EXPECT_EQ(told(outcome)["sound"], false) << prefix;
    fs::remove(path);
    EXPECT_EQ(run_obliq({"verify", collection_}).exit_code, 1) << prefix;
    std::ofstream(path, std::ios::binary) << sound;
  }
  must({"verify", collection_});
}

TEST_F(Collections, AreMadeWhereAWriterWasKilledBeforeItHadMadeOne) {
  fs::create_directory(collection_);
  std::ofstream(collection_ + "/LOCK") << "1\n";
  std::ofstream(collection_ + "/.obliq-tmp-1-1") << "half";
  EXPECT_EQ(add({"--rows", "0:10"})["n"], 10);
  fs::create_directory(collection_ + "2");
  std::ofstream(collection_ + "2/letter") << "dear";
  expect_refused({"add", collection_ + "2", set_}, "it is not empty");
}

TEST_F(Collections, AreEvaluatedAsAnIndex) {
  add({"--train-at", "1000", "--wait"});
  const auto point =
      told(must({"eval", collection_, set_, "--nprobe", "1000", "--repeat", "1", "--json"}));
  EXPECT_GT(point["recall"], 0.9);
  EXPECT_GT(point["entries"], 1600);  // some are spilled
  EXPECT_GT(point["refined"], 10);
  EXPECT_EQ(point["lists"], told(must({"eval", collection_, set_, "--nprobe", "1000", "--repeat",
                                       "1", "--json", "--batch"}))["lists"]);
}

TEST_F(Collections, AreImportedFromIndexesAndBackedUpBesideAWriter) {
  must({"build", set_, "-o", folder_ / "index", "--raw", "fp32"});
  const auto imported = told(must({"import", collection_, folder_ / "index", "--json"}));
  EXPECT_EQ(imported["imported"], 1600);
  EXPECT_EQ(imported["metric"], "l2");
  expect_refused({"import", collection_, folder_ / "index"}, "is there already");
  const std::string before = answers(collection_);
  Collection writer = Collection::open(collection_);
  const auto made = told(must({"backup", collection_, folder_ / "backup", "--json"}));
  EXPECT_EQ(made["n"], 1600);
  EXPECT_EQ(made["collection"], folder_ / "backup");
  writer.remove(std::vector<std::int64_t>{1, 2, 3});
  EXPECT_EQ(answers(folder_ / "backup"), before);
  must({"verify", folder_ / "backup", "--rate", "100"});
  expect_refused({"backup", collection_, folder_ / "backup"}, "not empty");
  must({"generate", "clustered", "--n", "50", "--dim", "16", "--queries", "1", "-k", "1",
        "--metric", "cosine", "-o", folder_ / "cosine.hdf5"});
  must({"build", folder_ / "cosine.hdf5", "-o", folder_ / "cosine"});
  writer.close();
  expect_refused({"import", collection_, folder_ / "cosine"},
                 "its metric is cosine, that of the collection l2");
  EXPECT_EQ(run_obliq({"backup", folder_ / "absent", folder_ / "x"}).exit_code, 1);
  EXPECT_FALSE(fs::exists(folder_ / "x"));
}

TEST_F(Collections, AreAskedForFigures) {
  add({"--train-at", "1600", "--wait"});
  must({"remove", collection_, "--id", "1,2,3,4"});
  const auto info = told(must({"info", collection_, "--json"}));
  EXPECT_EQ(info["added"], 1600);
  EXPECT_EQ(info["removed"], 4);
  EXPECT_EQ(info["deleted_share"], 4 / 1600.0);
  EXPECT_EQ(info["tuned_for"], 1600);
  EXPECT_GE(info["tuned_seconds_ago"], 0);
  EXPECT_GT(info["write_amplification"], 1);
  const std::string text = must({"info", collection_, "--prometheus"}).out;
  EXPECT_THAT(text, HasSubstr("# TYPE obliq_collection_vectors gauge\nobliq_collection_vectors{"
                              "collection=\"" +
                              collection_ + "\"} 1596\n"));
  expect_refused({"info", collection_, "--prometheus", "--json"}, "--prometheus");
  must({"export", collection_, "-o", folder_ / "index"});
  expect_refused({"info", folder_ / "index", "--prometheus"}, "is no collection");
  expect_refused({"verify", folder_ / "index", "--rate", "1"}, "leave out --rate");
}

TEST_F(Collections, ExplainTheirSearches) {
  add({"--train-at", "1000", "--wait"});
  const auto lines = json_lines(
      must({"search", collection_, set_, "--nprobe", "3", "--explain", "--json", "--limit", "4"}));
  ASSERT_EQ(lines.size(), 4U);
  for (const auto& line : lines) {
    EXPECT_EQ(line["explain"]["lists"], 3);
    EXPECT_EQ(line["explain"]["end"], "nprobe");
    EXPECT_GE(line["explain"]["entries"], line["explain"]["refined"]);
  }
  EXPECT_THAT(must({"search", collection_, set_, "--nprobe", "1000", "--explain"}).out,
              HasSubstr("rows refined, 0 raw vectors compared; ended by: all lists\n"));
  expect_refused({"search", collection_, set_, "--explain", "-o", folder_ / "r.hdf5"}, "--explain");
}

// Whoever runs it every night is to be woken for damage alone.
TEST_F(Collections, VerifyEndsWithOneForDamageAlone) {
  add({"--train-at", "1000", "--wait"});
  add({"--rows", "0:10"});
  EXPECT_EQ(run_obliq({"verify", folder_ / "absent"}).exit_code, 2);
  EXPECT_EQ(run_obliq({"verify", folder_.path()}).exit_code, 2);
  EXPECT_EQ(run_obliq({"verify", collection_, "--rate", "-1"}).exit_code, 2);
  const fs::path log = file("log-");
  fs::rename(log, folder_ / "log");
  const Outcome missing = run_obliq({"verify", collection_});
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_THAT(missing.err, HasSubstr("the log is missing"));
  fs::rename(folder_ / "log", log);
  const fs::path segment = file("seg-");
  fs::rename(segment, folder_ / "segment");
  EXPECT_EQ(run_obliq({"verify", collection_}).exit_code, 1);
  fs::copy_file(file("model-"), segment);  // sound, but none
  const Outcome swapped = run_obliq({"verify", collection_});
  EXPECT_EQ(swapped.exit_code, 1);
  EXPECT_THAT(swapped.err, HasSubstr("seg-"));
  fs::rename(folder_ / "segment", segment);
  must({"verify", collection_});
}

TEST_F(Collections, TakeVectorsOfAnotherMetricOnlyWhenTold) {
  add({"--rows", "0:10"});
  must({"generate", "clustered", "--n", "50", "--dim", "16", "--queries", "1", "-k", "1",
        "--metric", "cosine", "-o", folder_ / "cosine.hdf5"});
  expect_refused({"add", collection_, folder_ / "cosine.hdf5"},
                 "cosine.hdf5 is cosine, that of " + collection_ + " is l2");
  must({"add", collection_, folder_ / "cosine.hdf5", "--metric", "l2"});
}

TEST_F(Collections, AreRefusedWithValueAndRemedy) {
  expect_refused({"add", collection_, set_, "--dim", "17"}, "not --dim 17");
  expect_refused({"add", collection_, set_, "--train-at", "10"}, "train_at is 10");
  expect_refused({"add", collection_, set_, "--upsert"}, "--ids");
  expect_refused({"add", collection_, set_, "--rows", "0:1601"}, "end at 1600");
  EXPECT_FALSE(fs::exists(collection_));
  add({"--rows", "0:10", "--quantizer", "lm4"});
  EXPECT_EQ(add({"--rows", "10:20", "--quantizer", "lm4"})["n"], 20);
  expect_refused({"add", collection_, set_, "--metric", "cosine"}, "collection with metric l2");
  expect_refused({"add", collection_, set_, "--quantizer", "sq8"}, "collection with lm4");
  expect_refused({"remove", collection_}, "--ids FILE or --id");
  expect_refused({"search", collection_, set_, "--segment", "x"}, "leave out --segment");
  expect_refused({"verify", collection_, "--model", "x"}, "leave out --model");
  expect_refused({"verify", folder_.path()}, "without a collection");
  must({"remove", collection_, "--id", "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19"});
  expect_refused({"export", collection_, "-o", folder_ / "index"}, "nothing to export");
}

}  // namespace
}  // namespace obliq::tools

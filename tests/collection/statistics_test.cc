// What a collection tells of itself, and the text that Prometheus reads, by its grammar.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <limits>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "core/latency_recorder.h"
#include "obliq/collection.h"
#include "obliq/collection_stats.h"
#include "storage/log_layout.h"
#include "storage/temporary_folder.h"
#include "tests/collection/memory_folder.h"
#include "tests/collection/vectors.h"

namespace obliq {
namespace {

using testing::ids_from;
using testing::random_vectors;
using testing::upsert;

constexpr std::size_t kDim = 8;

class Statistics : public ::testing::Test {
 protected:
  static CollectionOptions options() { return testing::small_options(kDim); }
  std::string path() const { return folder_.path() + "/c"; }
  TemporaryFolder folder_{testing::memory_folder()};
};

TEST_F(Statistics, CountWhatWasDoneSinceItWasOpenedAndInItsLife) {
  {
    Collection collection = Collection::create(path(), options());
    collection.add(random_vectors(30, kDim).view());
    upsert(collection, 25, 10);
    EXPECT_EQ(collection.remove(ids_from(0, 5)), 5U);
    EXPECT_EQ(collection.remove(ids_from(0, 5)), 0U);
    (void)collection.search(random_vectors(3, kDim).view());
    const CollectionStats stats = collection.stats();
    EXPECT_EQ(stats.since_open.added, 30U);
    EXPECT_EQ(stats.since_open.upserted, 10U);
    EXPECT_EQ(stats.since_open.removed, 5U);
    EXPECT_EQ(stats.since_open.searches, 1U);
    EXPECT_EQ(stats.since_open.queries, 3U);
    EXPECT_EQ(stats.since_open.logged_bytes, stats.log_bytes - kLogHeadBytes);
    EXPECT_EQ(stats.latencies.at("add").count(), 2U);
    EXPECT_EQ(stats.latencies.at("remove").count(), 2U);
    EXPECT_EQ(stats.latencies.at("sync").count(), 3U);
    EXPECT_EQ(stats.latencies.at("seal").count(), 0U);
    EXPECT_GT(stats.latencies.at("add").seconds, 0);
    EXPECT_FALSE(stats.write_amplification);
    collection.compact();
  }
  Collection collection = Collection::open(path());
  collection.add(random_vectors(2, kDim).view());
  const CollectionStats stats = collection.stats();
  EXPECT_EQ(stats.since_open.added, 2U);
  EXPECT_EQ(stats.of_life.added, 32U);
  EXPECT_EQ(stats.of_life.upserted, 10U);
  EXPECT_EQ(stats.of_life.queries, 3U);
  EXPECT_EQ(stats.of_life.sealed_bytes, stats.file_bytes);
  EXPECT_GT(stats.of_life.trained_bytes, 0U);
  EXPECT_GT(stats.of_life.manifest_bytes, 0U);
  ASSERT_TRUE(stats.write_amplification);
  EXPECT_DOUBLE_EQ(*stats.write_amplification, static_cast<double>(stats.of_life.written_bytes()) /
                                                   static_cast<double>(stats.file_bytes));
}

TEST_F(Statistics, TellTheShareOfDeletedRowsAndWhenItWasTuned) {
  Collection collection = Collection::create(path(), options());
  upsert(collection, 0, 2000);
  collection.wait();
  collection.remove(ids_from(0, 200));
  const CollectionStats stats = collection.stats();
  EXPECT_EQ(stats.deleted_rows, 200U);
  EXPECT_DOUBLE_EQ(stats.deleted_share, 0.1);
  ASSERT_TRUE(stats.is_tuned);
  EXPECT_EQ(stats.tuned_for, 2000U);
  ASSERT_TRUE(stats.tuned_seconds_ago);
  EXPECT_GE(*stats.tuned_seconds_ago, 0);
  EXPECT_EQ(stats.latencies.at("train").count(), 1U);
}

TEST_F(Statistics, DriftIsThatOfWhatWasAddedSinceTheTraining) {
  Collection collection = Collection::create(path(), options());
  EXPECT_FALSE(collection.stats().drift);
  upsert(collection, 0, 4000, 1);
  collection.wait();
  ASSERT_FALSE(collection.stats().is_exact);
  EXPECT_FALSE(collection.stats().drift);
  upsert(collection, 4000, 500, 2);
  ASSERT_TRUE(collection.stats().drift);
  const double alike = *collection.stats().drift;
  EXPECT_LT(alike, 0.5);
  EXPECT_GT(alike, -0.1);
  Matrix<float> far = random_vectors(500, kDim, 3);
  for (float& x : far.values) x *= 3;
  collection.add(far.view());
  const double drifted = *collection.stats().drift;
  EXPECT_GT(drifted, alike + 1);
  collection.remove(ids_from(4500, 100));
  collection.compact();
  EXPECT_DOUBLE_EQ(*collection.stats().drift, drifted);  // merges forget nothing
  collection.close();
  EXPECT_DOUBLE_EQ(*Collection::open(path()).stats().drift, drifted);
}

TEST(Latencies, FallIntoBucketsByPowersOfTwo) {
  EXPECT_EQ(LatencyRecorder::bucket_of(0), 0U);
  EXPECT_EQ(LatencyRecorder::bucket_of(1000), 0U);
  EXPECT_EQ(LatencyRecorder::bucket_of(1001), 1U);
  EXPECT_EQ(LatencyRecorder::bucket_of(2000), 1U);
  EXPECT_EQ(LatencyRecorder::bucket_of(2001), 2U);
  EXPECT_EQ(LatencyRecorder::bucket_of(std::numeric_limits<std::uint64_t>::max()), 31U);
  for (std::size_t i = 0; i + 1 < LatencyHistogram::kBuckets; ++i) {
    const auto ns =
        static_cast<std::uint64_t>(std::llround(1e9 * LatencyHistogram::upper_bound(i)));
    EXPECT_EQ(LatencyRecorder::bucket_of(ns), i);
    EXPECT_EQ(LatencyRecorder::bucket_of(ns + 1), i + 1);
  }
  EXPECT_EQ(LatencyHistogram::upper_bound(31), std::numeric_limits<double>::infinity());
}

TEST(Latencies, TellQuantilesFromAbove) {
  LatencyRecorder recorder;
  EXPECT_EQ(recorder.read().quantile(0.5), 0);
  for (int i = 0; i < 99; ++i) recorder.record(std::chrono::microseconds(3));
  recorder.record(std::chrono::milliseconds(5));
  const LatencyHistogram read = recorder.read();
  EXPECT_EQ(read.count(), 100U);
  EXPECT_NEAR(read.seconds, 99 * 3e-6 + 5e-3, 1e-9);
  EXPECT_EQ(read.quantile(0), 4e-6);
  EXPECT_EQ(read.quantile(0.99), 4e-6);
  EXPECT_EQ(read.quantile(1), 8192e-6);
}

/// A line of values: name, labels, number.
struct Sample {
  std::string name;
  std::map<std::string, std::string> labels;
  double value;
};

std::map<std::string, std::string> labels_of(std::string text) {
  const std::regex label(R"re(([a-z_]+)="((?:[^"\\\n]|\\["\\n])*)"(,|$))re");
  std::map<std::string, std::string> labels;
  for (std::smatch one; std::regex_search(text, one, label); text = one.suffix()) {
    EXPECT_EQ(one.position(), 0) << text;
    EXPECT_TRUE(labels.emplace(one[1], one[2]).second) << text;
  }
  EXPECT_EQ(text, "");
  return labels;
}

// By the grammar of the text format; what does not follow it fails the test.
std::vector<Sample> parse(const std::string& text) {
  const std::regex head("# (HELP|TYPE) (obliq_collection_[a-z_]+) (.+)");
  const std::regex line(R"(([a-z_]+)\{(.*)\} (\S+))");
  std::vector<Sample> samples;
  std::map<std::string, std::string> types;
  std::set<std::string> helped;
  EXPECT_TRUE(text.ends_with('\n'));
  std::istringstream lines(text);
  for (std::string each; std::getline(lines, each);) {
    std::smatch match;
    if (each.starts_with('#')) {
      EXPECT_TRUE(std::regex_match(each, match, head)) << each;
      const std::string name = match[2];
      if (match[1] == "HELP") {
        EXPECT_TRUE(helped.insert(name).second) << each;
        continue;
      }
      EXPECT_TRUE(helped.contains(name)) << each;
      EXPECT_TRUE(types.emplace(name, match[3]).second) << each;
      EXPECT_THAT(match[3].str(), ::testing::AnyOf("gauge", "counter", "histogram"));
      continue;
    }
    if (!std::regex_match(each, match, line)) {
      ADD_FAILURE() << each;
      continue;
    }
    Sample sample{match[1], labels_of(match[2]), 0};
    std::size_t read = 0;
    sample.value = std::stod(match[3], &read);
    EXPECT_EQ(read, match[3].length()) << each;
    const std::string base =
        std::regex_replace(sample.name, std::regex("(call_seconds)_(bucket|sum|count)$"), "$1");
    EXPECT_TRUE(types.contains(base)) << each;
    EXPECT_EQ(types[base] == "counter", base.ends_with("_total")) << each;
    samples.push_back(sample);
  }
  return samples;
}

TEST_F(Statistics, AreTextThatPrometheusReads) {
  Collection collection = Collection::create(path(), options());
  upsert(collection, 0, 50);
  (void)collection.search(random_vectors(3, kDim).view());
  const auto samples =
      parse(to_prometheus(collection.stats(), {{"name", "a\"b\\c\nd"}, {"shard", "2"}}));
  std::map<std::string, double> last;  // of each call's buckets
  std::map<std::string, double> infinity;
  std::map<std::string, double> counts;
  std::map<std::string, double> values;
  for (const Sample& sample : samples) {
    EXPECT_EQ(sample.labels.at("name"), R"(a\"b\\c\nd)");
    EXPECT_EQ(sample.labels.at("shard"), "2");
    const auto call = sample.labels.find("call");
    if (call == sample.labels.end()) {
      values[sample.name] = sample.value;
    } else if (sample.name.ends_with("_bucket")) {
      EXPECT_GE(sample.value, last[call->second]);
      last[call->second] = sample.value;
      if (sample.labels.at("le") == "+Inf") infinity[call->second] = sample.value;
    } else if (sample.name.ends_with("_count")) {
      counts[call->second] = sample.value;
    }
  }
  EXPECT_EQ(counts.size(), 8U);
  EXPECT_EQ(infinity, counts);
  EXPECT_EQ(counts.at("search"), 1);
  EXPECT_EQ(values.at("obliq_collection_vectors"), 50);
  EXPECT_EQ(values.at("obliq_collection_upserted_vectors_total"), 50);
  EXPECT_EQ(values.at("obliq_collection_queries_total"), 3);
}

TEST_F(Statistics, TakeNoLabelsThatPrometheusDoesNot) {
  for (const char* name : {"", "1a", "a-b", "__a", "le", "call", "by"}) {
    EXPECT_THROW(to_prometheus({}, {{name, "x"}}), std::invalid_argument) << name;
  }
  EXPECT_NO_THROW(to_prometheus({}, {{"_a1", "x"}}));
}

}  // namespace
}  // namespace obliq

// Reading ahead changes when pages come from the disk, and nothing else: answers and the work told
// of are those of a plain mapped file, bit by bit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tuple>

#include "storage/section_file.h"
#include "tests/index/cases.h"
#include "tests/index/file_case.h"

namespace obliq {
namespace {

using testing::clustered;

class ReadAheadOption : public testing::IndexFileCase {
 protected:
  void expect_same(const Index& plain, const Index& ahead, SearchOptions options) const {
    std::vector<SearchExplanation> told;
    std::vector<SearchExplanation> expected_told;
    const SearchResult in_batch = ahead.search(queries_.view(), options);
    options.explain = &expected_told;
    const SearchResult expected = plain.search(queries_.view(), options);
    options.explain = &told;
    const SearchResult found = ahead.search(queries_.view(), options);
    for (const SearchResult* result : {&found, &in_batch}) {
      EXPECT_EQ(result->ids.values, expected.ids.values);
      EXPECT_EQ(result->distances.values, expected.distances.values);
    }
    ASSERT_EQ(told.size(), expected_told.size());
    for (std::size_t i = 0; i < told.size(); ++i) {
      EXPECT_EQ(told[i].lists, expected_told[i].lists);
      EXPECT_EQ(told[i].entries, expected_told[i].entries);
      EXPECT_EQ(told[i].refined, expected_told[i].refined);
      EXPECT_EQ(told[i].exact, expected_told[i].exact);
      EXPECT_EQ(told[i].end, expected_told[i].end);
    }
  }

  const Matrix<float> queries_ = clustered(40, 24, 2, 40);
};

TEST_F(ReadAheadOption, ChangesNoAnswer) {
  const auto base = clustered(2000, 24, 1, 40);
  for (const auto& [metric, spec, raw] : {std::tuple{Metric::l2, "sq8", RawTier::none},
                                          {Metric::cosine, "sq8", RawTier::fp16},
                                          {Metric::ip, "lm4", RawTier::none},
                                          {Metric::l2, "lm4", RawTier::fp16}}) {
    BuildOptions build;
    build.metric = metric;
    build.quantizer = spec;
    build.spill = 0.5;
    build.raw = raw;
    build.nlist = 50;
    build.threads = 1;
    Index::build(base.view(), build).save(path_);
    const Index plain = Index::open(path_);
    const Index ahead = Index::open(path_, {.read_ahead = true});
    for (const std::size_t nprobe : {1, 7, 30, 50}) {
      expect_same(plain, ahead, {.nprobe = nprobe});
      expect_same(plain, ahead, {.k = 300, .nprobe = nprobe});
    }
    for (const double target : {0.6, 0.85}) expect_same(plain, ahead, {.target_recall = target});
    expect_same(plain, ahead, {.batch_order = BatchOrder::list});
    expect_same(plain, ahead, {.nprobe = 20, .confidence = 1});
  }
}

TEST_F(ReadAheadOption, ChangesNoAnswerUnderFilters) {
  const auto base = clustered(4000, 24, 1, 40);
  BuildOptions build;
  build.spill = 0.5;
  build.threads = 1;
  Index::build(base.view(), build).save(path_);
  const Index plain = Index::open(path_);
  const Index ahead = Index::open(path_, {.read_ahead = true});
  for (const std::int64_t step : {2, 50, 4001}) {
    std::vector<std::int64_t> ids;
    for (std::int64_t id = 1; id < 4000; id += step) ids.push_back(id);
    SearchOptions options;
    options.filter = Filter::allow(ids);
    expect_same(plain, ahead, options);
    options.nprobe = 5;
    expect_same(plain, ahead, options);
  }
}

TEST_F(ReadAheadOption, IsNothingInMemory) {
  const auto base = clustered(2000, 24, 1, 40);
  Index::build(base.view(), {.threads = 1}).save(path_);
  const Index plain = Index::open(path_);
  const Index ahead = Index::open(path_, {.residence = Residence::memory, .read_ahead = true});
  expect_same(plain, ahead, {});
}

TEST_F(ReadAheadOption, OfADamagedFileCrashesNoSearch) {
  const auto base = clustered(1500, 24, 1, 40);
  BuildOptions build;
  build.quantizer = "lm4";
  build.spill = 0.5;
  build.threads = 1;
  Index::build(base.view(), build).save(path_);
  const std::string sound = read();
  const SectionFile file(path_.string());
  Random random(5);
  for (int trial = 0; trial < 30; ++trial) {
    std::string damaged = sound;
    for (const char* section : {"blocks", "spilled", "rows"}) {  // not read when it is opened
      const std::size_t bytes = file.section(section).size();
      for (int i = 0; i < 200; ++i) {
        damaged[file.offset(section) + random.below(bytes)] = static_cast<char>(random.next());
      }
    }
    write(damaged);
    const SearchResult found = Index::open(path_, {.read_ahead = true}).search(queries_.view());
    for (const std::int64_t id : found.ids.values) {
      EXPECT_TRUE(id >= -1 && id < 1500) << id;
    }
  }
}

}  // namespace
}  // namespace obliq

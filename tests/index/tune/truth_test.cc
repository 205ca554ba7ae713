// What segments are tuned with: learn queries and truth, the same however the base is cut.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/sample_key.h"
#include "index/segment/row_decoder.h"
#include "index/segment/tuning_section.h"
#include "index/tune/learn_queries.h"
#include "index/tune/tuning.h"
#include "obliq/index.h"
#include "tests/index/cases.h"
#include "tests/index/encoded.h"

namespace obliq {
namespace {

using testing::clustered;
using testing::encoded;
using testing::trained;

class TuneParts : public ::testing::Test {
 protected:
  TuneParts() {
    options_.nlist = 80;
    options_.kmeans_iterations = 3;
    options_.raw = RawTier::fp32;
    options_.threads = 1;
    model_ = trained(base_, options_);
  }
  SegmentSet cut(const std::vector<std::size_t>& sizes) const {
    return encoded(model_, base_, options_, sizes);
  }

  const Matrix<float> base_ = clustered(4000, 16, 41, 20);
  BuildOptions options_;
  std::shared_ptr<const TrainedModel> model_;
};

TEST_F(TuneParts, JoinTheTruthOfAllSegments) {
  const SegmentSet set = cut({500, 3000, 500});
  const KnownTruth known = known_truth(set);
  ASSERT_GT(known.neighbours.size(), 0U);
  for (std::size_t q = 0; q < known.neighbours.size(); ++q) {
    auto expected = testing::brute_force(Metric::l2, base_, known.learn.queries.row(q));
    const std::int64_t own = model_->learn_ids[q];
    EXPECT_EQ(set.id(known.learn.self[q]), own);
    std::erase_if(expected, [&](const auto& neighbour) { return neighbour.second == own; });
    ASSERT_EQ(known.neighbours[q].size(), Truth::kNeighbours);
    for (std::size_t i = 0; i < Truth::kNeighbours; ++i) {
      EXPECT_EQ(set.id(known.neighbours[q][i].second), expected[i].second) << q << " place " << i;
    }
  }
}

TEST_F(TuneParts, TuneToTheSameRecallWhateverTheCut) {
  const Tuning whole = tune_from_truth(cut({4000}), {});
  EXPECT_EQ(whole.queries, model_->learn_ids.size());
  EXPECT_TRUE(whole.from_base && whole.exact_truth);
  const Tuning parts = tune_from_truth(cut({1500, 2500}), {.threads = 1});
  ASSERT_EQ(parts.ladders.size(), kTunedKs.size());
  for (std::size_t i = 0; i < kTunedKs.size(); ++i) {
    // One answer of one query, where k is 1.
    EXPECT_NEAR(parts.ladders[i].max_recall, whole.ladders[i].max_recall,
                1.01 / static_cast<double>(whole.queries));
    EXPECT_GT(whole.ladders[i].max_recall, 0.95);
  }
}

TEST_F(TuneParts, AreNotTunedWithoutTruthOrLearnQueriesOrVectorsEnough) {
  const SegmentSet sound = cut({2000, 2000});
  std::vector<Segment> segments = sound.segments();
  segments[1].truth = {};
  EXPECT_EQ(tune_from_truth(SegmentSet(model_, segments), {}).queries, 0U);
  const SegmentSet no_queries(without_learn(*model_), sound.segments());
  EXPECT_EQ(tune_from_truth(no_queries, {}).queries, 0U);
  const SegmentSet few(model_, {cut({900, 3100}).segments()[0]});
  EXPECT_EQ(tune_from_truth(few, {}).queries, 0U);
}

TEST_F(TuneParts, StandInForLearnQueriesByTheirKeys) {
  const SegmentSet one = cut({4000});
  const SegmentSet some = cut({100, 3900});
  const auto chosen = [&](const SegmentSet& set) {
    const RowDecoder decoder(set);
    const RowSource rows(set.slots(), 16, [&](std::size_t slot, float* out) {
      decoder.vector(static_cast<std::uint32_t>(slot), out);
    });
    const LearnQueries learn = base_queries(set, rows, 50);
    std::vector<std::int64_t> ids;
    for (const std::uint32_t slot : learn.self) ids.push_back(set.id(slot));
    return std::pair(ids, learn.queries.values);
  };
  const auto [ids, values] = chosen(one);
  EXPECT_EQ(chosen(some), std::pair(ids, values));
  ASSERT_EQ(ids.size(), 50U);
  const auto key = [&](std::int64_t id) { return key_in_sample(options_.seed, id); };
  EXPECT_TRUE(
      std::is_sorted(ids.begin(), ids.end(), [&](auto a, auto b) { return key(a) < key(b); }));
  std::size_t below = 0;
  for (std::int64_t id = 0; id < 4000; ++id) below += key(id) <= key(ids.back()) ? 1 : 0;
  EXPECT_EQ(below, 50U);
}

class GivenNeighbours : public ::testing::Test {
 protected:
  GivenNeighbours() : neighbours_(queries_.rows, kGiven) {
    for (std::size_t q = 0; q < queries_.rows; ++q) {
      const auto exact = testing::brute_force(Metric::l2, base_, queries_.row(q));
      for (std::size_t i = 0; i < kGiven; ++i) {
        neighbours_.row(q)[i] = exact[i].second;
      }
    }
  }
  static BuildOptions options(RawTier raw) {
    BuildOptions options;
    options.nlist = 60;
    options.raw = raw;
    options.quantizer = "lm2";
    return options;
  }
  double max_recall(RawTier raw, MatrixView<std::int64_t> neighbours) const {
    Index index = Index::build(base_.view(), options(raw));
    index.tune(queries_.view(), {.neighbours = neighbours});
    const Tuning tuning = index.stats().tuning;
    EXPECT_EQ(tuning.queries, queries_.rows);
    EXPECT_EQ(tuning.exact_truth, raw != RawTier::none || neighbours.rows > 0);
    EXPECT_FALSE(tuning.from_base);
    return tuning.ladders[1].max_recall;
  }

  static constexpr std::size_t kGiven = 100;  // as VIBE's sets have

  const Matrix<float> base_ = clustered(3000, 16, 41, 20);
  const Matrix<float> queries_ = clustered(300, 16, 42, 20);
  Matrix<std::int64_t> neighbours_;
};

TEST_F(GivenNeighbours, AreTheTruthThatARawTierWouldFind) {
  EXPECT_EQ(max_recall(RawTier::fp32, neighbours_.view()), max_recall(RawTier::fp32, {}));
}

// What the codes of two bits lose is seen at once, where the index has nothing else to go by.
TEST_F(GivenNeighbours, TellWhatCodesLose) {
  Index index = Index::build(base_.view(), options(RawTier::none));
  double found = 0;
  const auto all = index.search(queries_.view(), {.k = 10, .nprobe = 60});
  for (std::size_t q = 0; q < queries_.rows; ++q) {
    for (std::size_t i = 0; i < 10; ++i) {
      const std::int64_t* truth = neighbours_.row(q);
      found += static_cast<double>(std::count(truth, truth + 10, all.ids.row(q)[i]));
    }
  }
  const double recall = found / 10 / static_cast<double>(queries_.rows);
  EXPECT_LT(recall, 0.9);
  EXPECT_NEAR(max_recall(RawTier::none, neighbours_.view()), recall, 1e-3);
}

TEST_F(GivenNeighbours, MustFitTheQueriesAndTheIndex) {
  Index index = Index::build(base_.view(), options(RawTier::none));
  const auto refused = [&](MatrixView<std::int64_t> neighbours, const std::string& words) {
    EXPECT_THAT([&] { index.tune(queries_.view(), {.neighbours = neighbours}); },
                ::testing::ThrowsMessage<std::invalid_argument>(::testing::HasSubstr(words)));
  };
  refused(neighbours_.view().slice(0, 299), "are 299 x 100, but must be 100 or more for each");
  Matrix<std::int64_t> few(queries_.rows, 99);
  refused(few.view(), "are 300 x 99, but");
  neighbours_.row(7)[3] = -1;  // passed over
  index.tune(queries_.view(), {.neighbours = neighbours_.view()});
  neighbours_.row(7)[3] = 3000;
  refused(neighbours_.view(), "learn query 7 name id 3000, which is not in the index");
}

}  // namespace
}  // namespace obliq

// What segments are tuned with: learn queries and truth, the same however the base is cut.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "core/sample_key.h"
#include "index/segment/row_decoder.h"
#include "index/segment/tuning_section.h"
#include "index/tune/learn_queries.h"
#include "index/tune/tuning.h"
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

}  // namespace
}  // namespace obliq

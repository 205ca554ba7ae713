// Spilled vectors: two entries, one row, one answer.
#include "index/build/spill.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "index/build/builder.h"
#include "index/build/kmeans.h"
#include "index/build/list_units.h"
#include "index/build/residual_encoder.h"
#include "index/search/row_set.h"
#include "tests/index/cases.h"

namespace obliq {
namespace {

using testing::clustered;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

struct Case {
  Metric metric;
  const char* quantizer;
  RawTier raw = RawTier::none;
};

std::string case_name(const ::testing::TestParamInfo<Case>& info) {
  const Case& c = info.param;
  std::string name = to_string(c.metric) + "_" + c.quantizer + "_" + to_string(c.raw);
  std::replace(name.begin(), name.end(), ':', '_');
  return name;
}

class SpillCase : public ::testing::TestWithParam<Case> {
 protected:
  static BuildOptions options(double spill, std::size_t nlist = 0) {
    BuildOptions build;
    build.metric = GetParam().metric;
    build.quantizer = GetParam().quantizer;
    build.raw = GetParam().raw;
    build.spill = spill;
    build.nlist = nlist;
    return build;
  }
};

INSTANTIATE_TEST_SUITE_P(
    MetricsQuantizersAndTiers, SpillCase,
    ::testing::Values(Case{Metric::l2, "sq8"}, Case{Metric::ip, "sq8"}, Case{Metric::cosine, "sq8"},
                      Case{Metric::l2, "lm4"}, Case{Metric::ip, "lm4"}, Case{Metric::cosine, "lm4"},
                      Case{Metric::l2, "lm1"}, Case{Metric::l2, "tqp4:orthogonal"},
                      Case{Metric::ip, "e8q8"}, Case{Metric::l2, "lm2", RawTier::fp16},
                      Case{Metric::cosine, "sq8", RawTier::fp32}),
    case_name);

/// Both indexes answer alike when nothing is pruned and every list probed. In one dim unit vectors
/// are copies, whose distances are rounding alone, and differ by what units cut off.
void expect_same_exhaustive_answers(const Index& one, const Index& other,
                                    MatrixView<float> queries) {
  SearchOptions search;
  search.nprobe = 1000;
  search.confidence = 1;
  search.k = 20;
  const auto a = one.search(queries, search);
  const auto b = other.search(queries, search);
  if (queries.cols == 1 && one.stats().metric == Metric::cosine) {
    for (std::size_t i = 0; i < a.distances.values.size(); ++i) {
      EXPECT_NEAR(a.distances.values[i], b.distances.values[i], 1e-6);
    }
    return;
  }
  EXPECT_EQ(a.ids.values, b.ids.values);
  EXPECT_EQ(a.distances.values, b.distances.values);
}

TEST_P(SpillCase, ExhaustiveSearchAnswersAsWithoutSpill) {
  for (const std::size_t dim : {1, 33}) {
    const auto base = clustered(700, dim, 1);
    const auto queries = clustered(20, dim, 2);
    for (const std::size_t nlist : {1, 2, 30}) {
      const Index plain = Index::build(base.view(), options(0, nlist));
      for (const double share : {.5, 1.0}) {
        const Index spilled = Index::build(base.view(), options(share, nlist));
        expect_same_exhaustive_answers(plain, spilled, queries.view());
        // Copies, as unit vectors of one dim are, have equal losses: none is below the threshold.
        if (dim > 1 || share == 1) {
          EXPECT_NEAR(spilled.stats().spill, nlist > 1 ? share : 0, .05);
        }
      }
    }
  }
}

TEST_P(SpillCase, NoIdComesTwiceAtAnyNprobe) {
  auto base = clustered(400, 24, 3);
  for (std::size_t i = 0; i < 200; ++i) std::copy_n(base.row(200 + i % 7), 24, base.row(i));
  for (std::size_t i = 200; i < 207; ++i) std::fill_n(base.row(i), 24, 0.0F);
  const Index index = Index::build(base.view(), options(1, 20));
  SearchOptions search;
  search.k = 50;
  for (std::size_t nprobe = 1; nprobe <= 20; nprobe += 3) {
    search.nprobe = nprobe;
    const auto result = index.search(base.view(), search);
    for (std::size_t i = 0; i < base.rows; ++i) {
      const std::int64_t* ids = result.ids.row(i);
      const auto count = std::find(ids, ids + search.k, -1) - ids;
      EXPECT_EQ(std::set<std::int64_t>(ids, ids + count).size(), static_cast<std::size_t>(count));
    }
  }
}

TEST_P(SpillCase, RecallAtAnNprobeRises) {
  const auto base = clustered(3000, 24, 4, 300);
  const auto queries = clustered(100, 24, 4, 300);
  SearchOptions search;
  search.nprobe = 4;
  const auto recall_of = [&](double share) {
    const Index index = Index::build(base.view(), options(share, 60));
    return testing::recall(GetParam().metric, base, queries, index.search(queries.view(), search));
  };
  // Of 1,000 answers: a recall near .5 varies by .016 between such samples of independent answers.
  const double plain = recall_of(0);
  EXPECT_GT(recall_of(.5), plain - .016);
  // Codes of a bit lose so much that more entries hardly show.
  EXPECT_GT(recall_of(1), GetParam().quantizer == std::string("lm1") ? plain - .016 : plain);
}

TEST_P(SpillCase, AnswersDoNotDependOnThreadsOrBatch) {
  const auto base = clustered(900, 40, 5);
  const auto queries = clustered(33, 40, 6);
  auto build = options(.5, 40);
  SearchOptions search;
  search.nprobe = 7;
  testing::expect_threads_and_batches_do_not_matter(base, queries, build, search);
}

TEST_P(SpillCase, RowsDecodeAsWithoutSpill) {
  const auto base = clustered(300, 30, 7);
  const Index plain = Index::build(base.view(), options(0));
  const Index spilled = Index::build(base.view(), options(.5));
  std::vector<float> a(30);
  std::vector<float> b(30);
  for (std::int64_t id = 0; id < 300; ++id) {
    plain.reconstruct(id, a.data());
    spilled.reconstruct(id, b.data());
    EXPECT_EQ(a, b) << id;
  }
  EXPECT_TRUE(spilled.contains(299));
  EXPECT_FALSE(spilled.contains(300));
  EXPECT_EQ(spilled.stats().n, 300U);
}

TEST(Spill, ShareIsReachedWhereTheSampleIsTheBase) {
  for (const std::size_t n : {1UL, 2UL, 3UL, 99UL, 1000UL}) {
    const auto base = clustered(n, 6, 8);
    for (const double share : {0.0, .1, .5, 1.0}) {
      BuildOptions build;
      build.spill = share;
      build.nlist = n / 4 + 1;
      build.tune = false;
      const Segment segment = build_segment(MatrixSource(base.view()), build);
      const double expected = build.nlist == 1 ? 0 : share * static_cast<double>(n);
      // Up to a twentieth are learn queries, which are not of the sample.
      EXPECT_NEAR(static_cast<double>(segment.info.spilled), expected,
                  1 + .05 * static_cast<double>(n))
          << n << share;
      std::size_t entries = 0;
      for (const ListRecord& list : segment.lists.records()) entries += list.count;
      EXPECT_EQ(entries, n + segment.info.spilled);
      if (share == 0 || share == 1) {
        EXPECT_EQ(static_cast<double>(segment.info.spilled), expected);
      }
    }
  }
}

TEST(Spill, CopiesDoNotTipTheThreshold) {
  // All losses but those of ten vectors are equal: a threshold that is one of them takes none of
  // these, however many they are.
  Matrix<float> base(2000, 8);
  for (std::size_t i = 0; i < base.rows; ++i) base.row(i)[0] = 1;
  const auto others = clustered(10, 8, 3);
  for (std::size_t i = 0; i < 10; ++i) std::copy_n(others.row(i), 8, base.row(i * 200));
  BuildOptions build;
  build.spill = .5;
  build.nlist = 8;
  build.tune = false;
  EXPECT_LT(Index::build(base.view(), build).stats().spill, .01);
}

TEST(Spill, ASecondEntryIsInAnotherListThanItsRow) {
  const auto base = clustered(500, 12, 9);
  BuildOptions build;
  build.quantizer = "lm3";
  build.spill = 1;
  build.tune = false;
  const Segment segment = build_segment(MatrixSource(base.view()), build);
  std::vector<std::size_t> away(500, 0);
  for (std::uint32_t l = 0; l < segment.model->nlist(); ++l) {
    const ListRecord& record = *segment.lists.find(l);
    for (std::uint32_t i = 0; i < record.spilled(); ++i) {
      const auto [row, list] = segment.spilled_entry(record.first_spilled + i);
      EXPECT_NE(list, l);
      const ListRecord& primary = *segment.lists.find(list);
      EXPECT_GE(row, primary.first_row);
      EXPECT_LT(row - primary.first_row, primary.primaries);
      ++away[row];
    }
  }
  EXPECT_THAT(away, ::testing::Each(1));
}

TEST(Spill, TheSecondListHasTheLeastLossOfTheNearestSixteen) {
  const auto x = clustered(200, 10, 10);
  const auto centroids = clustered(50, 10, 11);
  std::vector<ListChoice> choices(x.rows);
  choose_lists(x.view(), centroids.view(), 2, choices.data());
  for (std::size_t i = 0; i < x.rows; ++i) {
    const auto ranked = testing::brute_force(Metric::l2, centroids, x.row(i));
    EXPECT_EQ(choices[i].primary, ranked[0].second);
    const float* c1 = centroids.row(choices[i].primary);
    double least = std::numeric_limits<double>::infinity();
    std::size_t second = 0;
    for (std::size_t j = 1; j <= 16; ++j) {
      const float* c2 = centroids.row(static_cast<std::size_t>(ranked[j].second));
      double product = 0;
      for (std::size_t d = 0; d < 10; ++d) {
        product += (double{x.row(i)[d]} - c1[d]) * (double{x.row(i)[d]} - c2[d]);
      }
      const double loss = ranked[j].first + 2 * product * product / ranked[0].first;
      if (loss < least) second = static_cast<std::size_t>(ranked[j].second);
      least = std::min(least, loss);
    }
    EXPECT_EQ(choices[i].second, second);
    EXPECT_NEAR(choices[i].loss, least / ranked[0].first, 1e-4 * choices[i].loss);
  }
}

TEST(Spill, PrimariesAreThoseOfTheNearestCentroids) {
  const auto x = clustered(333, 17, 12);
  const auto centroids = clustered(100, 17, 13);
  std::vector<ListChoice> choices(x.rows);
  choose_lists(x.view(), centroids.view(), 1, choices.data());
  std::vector<std::uint32_t> nearest(x.rows);
  assign_nearest(x.view(), centroids.view(), 1, nearest.data(), nullptr);
  for (std::size_t i = 0; i < x.rows; ++i) EXPECT_EQ(choices[i].primary, nearest[i]);
}

TEST(Spill, UnitsOfAListAreThoseOfItsOwnVectorsUnlessSecondEntriesDoNotFit) {
  const auto unit = [](std::vector<float> primary, std::vector<float> second) {
    ListRecord record;
    for (const float length : primary) {
      EncodedNumbers numbers;
      numbers.r2 = length * length;
      hold_primary(numbers, record);
    }
    for (const float length : second) {
      EncodedNumbers numbers;
      numbers.r2 = length * length;
      hold_spilled({20, 20}, numbers, record);
    }
    return record.scale();
  };
  EXPECT_EQ(unit({3}, {}), 0x1p-4F);
  EXPECT_EQ(unit({4}, {}), 0x1p-4F);
  EXPECT_EQ(unit({3}, {5, 1000}), 0x1p-4F);
  EXPECT_EQ(unit({3e-7F}, {}), 0x1p-27F);
  EXPECT_EQ(unit({3e-7F}, {1e-7F}), 0x1p-27F);
  EXPECT_EQ(unit({3e-7F}, {.9F}), 0x1p-15F);
  EXPECT_EQ(unit({}, {5}), 0x1p-12F);
}

TEST(Spill, NumbersBeyondTheLimitOfAListAreNotTold) {
  EncodedNumbers numbers;
  numbers.r2 = 0x1p80F;
  ListRecord record;
  hold_spilled({20, 20}, numbers, record);
  EXPECT_EQ(record.scale_exponent, kLeastExponent);
  EXPECT_EQ(numbers.entry_add, -std::numeric_limits<float>::infinity());
  const EntryFactors factors = entry_factors(numbers, record);
  EXPECT_EQ(factors.add, 0xFC00U);
  EXPECT_EQ(factors.rescale, 0x7BFFU);
  ListRecord larger = record;
  larger.scale_exponent = 100;
  EXPECT_EQ(change_units(factors, record, larger).rescale, 0x7BFFU);
}

TEST(Spill, RefusesWhatIsNoShare) {
  const auto base = clustered(20, 4, 14);
  for (const double share : {-.1, 1.5, std::nan("")}) {
    BuildOptions build;
    build.spill = share;
    EXPECT_THAT([&] { Index::build(base.view(), build); },
                ThrowsMessage<std::invalid_argument>(HasSubstr("spill must be a share")));
  }
}

TEST(Spill, VectorsOfAnyLengthAreSpilled) {
  auto base = clustered(100, 8, 15);
  for (std::size_t j = 0; j < 8; ++j) {
    base.row(0)[j] = 3e18F;  // its squared norm is just below a quarter of the largest float
    base.row(1)[j] = -3e18F;
    base.row(2)[j] *= 1e-30F;
  }
  for (const Metric metric : {Metric::l2, Metric::ip, Metric::cosine}) {
    BuildOptions build;
    build.metric = metric;
    build.spill = .5;
    build.nlist = 12;
    const Index index = Index::build(base.view(), build);
    EXPECT_NEAR(index.stats().spill, .5, .05);
    EXPECT_NO_THROW((void)index.search(base.view()));
  }
}

TEST(RowSet, TellsNewRowsFromOldOnesAndForgets) {
  RowSet rows;
  for (int round = 0; round < 2; ++round) {
    rows.clear();
    for (std::uint32_t i = 0; i < 5000; ++i) EXPECT_TRUE(rows.insert(i * 1024));
    for (std::uint32_t i = 0; i < 5000; ++i) EXPECT_FALSE(rows.insert(i * 1024));
    EXPECT_TRUE(rows.insert(0xFFFFFFFEU));
  }
}

}  // namespace
}  // namespace obliq

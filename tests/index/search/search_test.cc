// What a search promises, whatever the metric and the quantizer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "obliq/quantizer.h"
#include "tests/index/cases.h"

namespace obliq {
namespace {

using testing::brute_force;
using testing::clustered;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Case {
  Metric metric;
  const char* quantizer;
};

class SearchCase : public ::testing::TestWithParam<Case> {};

std::string case_name(const ::testing::TestParamInfo<Case>& info) {
  std::string name = to_string(info.param.metric) + "_" + info.param.quantizer;
  std::replace(name.begin(), name.end(), ':', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(MetricsAndQuantizers, SearchCase,
                         ::testing::Values(Case{Metric::l2, "sq8"}, Case{Metric::ip, "sq8"},
                                           Case{Metric::cosine, "sq8"}, Case{Metric::l2, "lm4"},
                                           Case{Metric::ip, "lm4"}, Case{Metric::cosine, "lm4"},
                                           Case{Metric::l2, "lm1"}, Case{Metric::l2, "lm8"},
                                           Case{Metric::cosine, "lm2"}, Case{Metric::l2, "tq4"},
                                           Case{Metric::ip, "tqp4:orthogonal"},
                                           Case{Metric::l2, "tqp3:gaussian"}),
                         case_name);

TEST_P(SearchCase, WithAllListsFullConfidenceAndFp32RawEqualsExactSearch) {
  const auto base = clustered(700, 24, 1);
  const auto queries = clustered(20, 24, 2);
  BuildOptions build;
  build.metric = GetParam().metric;
  build.quantizer = GetParam().quantizer;
  build.nlist = 13;
  build.raw = RawTier::fp32;
  const Index index = Index::build(base.view(), build);
  SearchOptions search;
  search.nprobe = 13;
  search.confidence = 1;
  const auto result = index.search(queries.view(), search);
  for (std::size_t i = 0; i < queries.rows; ++i) {
    const auto truth = brute_force(build.metric, base, queries.row(i));
    for (std::size_t j = 0; j < search.k; ++j) {
      EXPECT_EQ(result.ids.row(i)[j], truth[j].second) << "query " << i << " place " << j;
      EXPECT_EQ(result.distances.row(i)[j], truth[j].first);
    }
  }
}

TEST_P(SearchCase, AnswersDoNotDependOnThreadsOrBatch) {
  const auto base = clustered(900, 40, 3);
  const auto queries = clustered(33, 40, 4);
  BuildOptions build;
  build.metric = GetParam().metric;
  build.quantizer = GetParam().quantizer;
  testing::expect_threads_and_batches_do_not_matter(base, queries, build, {});
}

TEST(Search, FindsAStoredVectorAsItsOwnNearest) {
  const auto base = clustered(500, 64, 5);
  for (const Metric metric : {Metric::l2, Metric::cosine}) {
    for (const char* spec : {"sq8", "lm1", "lm4", "tqp2"}) {
      BuildOptions build;
      build.metric = metric;
      build.quantizer = spec;
      build.raw = RawTier::fp16;
      SearchOptions search;
      search.k = 1;
      search.confidence = 1;
      const auto result = Index::build(base.view(), build).search(base.view(), search);
      for (std::size_t i = 0; i < base.rows; ++i) {
        ASSERT_EQ(result.ids.values[i], static_cast<std::int64_t>(i)) << spec;
      }
    }
  }
}

TEST(Search, ReachesTheRecallOfItsCodes) {
  // Without raw tier, all lists probed: the quantizer's error alone. Gaussian data is the hardest
  // case; the floors lie .03 below what these seeds give.
  const auto base = clustered(2000, 96, 6);
  const auto queries = clustered(100, 96, 6);
  for (const auto& [spec, floor] : {std::pair{"sq8", .96}, {"lm4", .87}, {"lm2", .62}}) {
    for (const Metric metric : {Metric::l2, Metric::ip, Metric::cosine}) {
      BuildOptions build;
      build.metric = metric;
      build.quantizer = spec;
      const Index index = Index::build(base.view(), build);
      SearchOptions search;
      search.nprobe = 1000;
      search.confidence = 0.9999F;
      const auto result = index.search(queries.view(), search);
      EXPECT_GT(testing::recall(metric, base, queries, result), floor)
          << spec << " " << to_string(metric);
    }
  }
}

TEST(Search, ABaseVectorFarAwayDoesNotSpoilWhatQuantizersLearn) {
  auto base = clustered(1500, 24, 9);
  Matrix<float> queries(50, 24);  // the last of the base, moved a little
  Random random(10);
  for (std::size_t i = 0; i < queries.rows; ++i) {
    for (std::size_t j = 0; j < queries.cols; ++j) {
      queries.row(i)[j] =
          base.row(base.rows - 1 - i)[j] + static_cast<float>(.5 * random.gaussian());
    }
  }
  for (std::size_t j = 0; j < base.cols; ++j) base.row(7)[j] *= 1000;
  const auto recall_of = [&](const char* spec, std::size_t nlist) {
    BuildOptions build;
    build.quantizer = spec;
    build.nlist = nlist;
    SearchOptions search;
    search.nprobe = nlist;
    search.confidence = 1;
    return testing::recall(Metric::l2, base, queries,
                           Index::build(base.view(), build).search(queries.view(), search));
  };
  // Three standard deviations of a recall of .7 over 500 answers.
  for (const std::size_t nlist : {2, 10}) {
    EXPECT_GT(recall_of("lm2:query", nlist), recall_of("lm2", nlist) - .06) << nlist;
  }
}

TEST(Search, RefusesTrainingQueriesThatNothingLearnsFrom) {
  const auto base = clustered(50, 8, 1);
  BuildOptions build;
  build.quantizer = "lm2";
  build.train_queries = base.view();
  EXPECT_THAT([&] { Index::build(base.view(), build); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("'lm2' learns nothing")));
}

TEST(Search, InnerProductDoesNotDependOnTheQuerysLength) {
  const auto base = clustered(500, 32, 7);
  auto queries = clustered(10, 32, 8);
  BuildOptions build;
  build.metric = Metric::ip;
  const Index index = Index::build(base.view(), build);
  const auto result = index.search(queries.view());
  for (float& value : queries.values) value *= 1024;
  const auto scaled = index.search(queries.view());
  EXPECT_EQ(result.ids.values, scaled.ids.values);
  for (std::size_t i = 0; i < result.distances.values.size(); ++i) {
    EXPECT_FLOAT_EQ(1024 * result.distances.values[i], scaled.distances.values[i]);
  }
}

TEST(Search, AnEmptyIndexAnswersWithPadding) {
  const Matrix<float> none(0, 8);
  const auto queries = clustered(3, 8, 9);
  const Index index = Index::build(none.view());
  const auto result = index.search(queries.view());
  EXPECT_THAT(result.ids.values, ::testing::Each(-1));
  EXPECT_THAT(result.distances.values, ::testing::Each(kInfinity));
}

TEST(Search, MoreAnswersThanVectorsPads) {
  const auto base = clustered(3, 5, 10);
  SearchOptions search;
  search.k = 7;
  const auto result = Index::build(base.view()).search(base.view(), search);
  for (std::size_t i = 0; i < base.rows; ++i) {
    EXPECT_EQ(result.ids.row(i)[0], static_cast<std::int64_t>(i));
    EXPECT_GE(result.ids.row(i)[2], 0);
    EXPECT_EQ(result.ids.row(i)[3], -1);
    EXPECT_EQ(result.distances.row(i)[6], kInfinity);
  }
}

TEST(Search, OneVectorOfOneDimensionWorks) {
  for (const char* spec : {"sq8", "lm1", "lm4"}) {
    Matrix<float> base(1, 1);
    base.values = {3};
    BuildOptions build;
    build.quantizer = spec;
    build.raw = RawTier::fp32;
    const auto result = Index::build(base.view(), build).search(base.view());
    EXPECT_EQ(result.ids.values[0], 0);
    EXPECT_EQ(result.distances.values[0], 0);
  }
}

TEST(Search, DuplicatesAndZeroVectorsAreFoundOnceEach) {
  auto base = clustered(64, 12, 11);
  for (std::size_t i = 0; i < 40; ++i) std::copy_n(base.row(63), 12, base.row(i));
  for (std::size_t i = 40; i < 50; ++i) std::fill_n(base.row(i), 12, 0.0F);
  for (const Metric metric : {Metric::l2, Metric::ip, Metric::cosine}) {
    BuildOptions build;
    build.metric = metric;
    build.nlist = 64;
    const Index index = Index::build(base.view(), build);
    SearchOptions search;
    search.k = 64;
    search.nprobe = 64;
    const auto result = index.search(base.view(), search);
    for (std::size_t i = 0; i < base.rows; ++i) {
      std::vector<std::int64_t> ids(result.ids.row(i), result.ids.row(i) + 64);
      std::sort(ids.begin(), ids.end());
      for (std::int64_t j = 0; j < 64; ++j) EXPECT_EQ(ids[j], j);
    }
  }
}

TEST(Search, ZeroVectorsHaveCosineDistanceOne) {
  auto base = clustered(30, 16, 12);
  std::fill_n(base.row(7), 16, 0.0F);
  BuildOptions build;
  build.metric = Metric::cosine;
  const Index index = Index::build(base.view(), build);
  SearchOptions search;
  search.k = 30;
  search.nprobe = 30;
  auto queries = clustered(2, 16, 13);
  std::fill_n(queries.row(1), 16, 0.0F);
  const auto result = index.search(queries.view(), search);
  for (std::size_t j = 0; j < 30; ++j) {
    if (result.ids.row(0)[j] == 7) {
      EXPECT_NEAR(result.distances.row(0)[j], 1, 0.02);
    }
    EXPECT_NEAR(result.distances.row(1)[j], 1, 0.02);
  }
}

TEST(Search, VectorsOfVeryDifferentLengthLiveTogether) {
  auto base = clustered(400, 32, 14);
  for (std::size_t i = 0; i < 5; ++i) {
    for (std::size_t j = 0; j < 32; ++j) base.row(i)[j] *= 1e7F;
  }
  for (std::size_t i = 5; i < 10; ++i) {
    for (std::size_t j = 0; j < 32; ++j) base.row(i)[j] *= 1e-20F;
  }
  const Index index = Index::build(base.view());
  SearchOptions search;
  search.k = 1;
  search.nprobe = 1000;
  const auto result = index.search(base.view(), search);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(result.ids.values[i], static_cast<int>(i));
  std::size_t own = 0;
  for (std::size_t i = 10; i < 400; ++i) {
    own += result.ids.values[i] == static_cast<std::int64_t>(i) ? 1 : 0;
  }
  EXPECT_GE(own, 380U);
}

TEST(Search, GivenIdsComeBack) {
  const auto base = clustered(50, 8, 15);
  std::vector<std::int64_t> ids(50);
  for (std::size_t i = 0; i < 50; ++i)
    ids[i] = static_cast<std::int64_t>(1'000'000'000'000 + 3 * i);
  BuildOptions build;
  build.ids = {ids.data(), 50, 1};
  build.raw = RawTier::fp32;
  const Index index = Index::build(base.view(), build);
  const auto result = index.search(base.view());
  std::vector<float> x(8);
  for (std::size_t i = 0; i < 50; ++i) {
    EXPECT_EQ(result.ids.row(i)[0], ids[i]);
    index.reconstruct(ids[i], x.data());
    for (std::size_t j = 0; j < 8; ++j) EXPECT_EQ(x[j], base.row(i)[j]);
  }
  EXPECT_THAT([&] { index.reconstruct(3, x.data()); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("id 3")));
}

TEST(Search, ReconstructsFromCodes) {
  const auto base = clustered(300, 48, 16);
  for (const auto& [spec, most] : {std::pair{"sq8", 1e-4}, {"lm6", 2e-3}, {"lm4", 0.02}}) {
    BuildOptions build;
    build.quantizer = spec;
    const Index index = Index::build(base.view(), build);
    double error = 0;
    double length = 0;
    std::vector<float> x(48);
    for (std::size_t i = 0; i < base.rows; ++i) {
      index.reconstruct(static_cast<std::int64_t>(i), x.data());
      error += kernels().l2_sqr(x.data(), base.row(i), 48);
      length += kernels().dot(base.row(i), base.row(i), 48);
    }
    EXPECT_LT(error / length, most) << spec;
  }
}

TEST(Search, RefusesBadInputByName) {
  auto base = clustered(50, 8, 17);
  const Index index = Index::build(base.view());
  const auto wrong_dim = clustered(1, 9, 18);
  const auto fails = [&](auto call, const char* text) {
    EXPECT_THAT(call, ThrowsMessage<std::invalid_argument>(HasSubstr(text)));
  };
  fails([&] { index.search(wrong_dim.view()); }, "queries have dim 9, the index has 8");
  SearchOptions search;
  search.k = 0;
  fails([&] { index.search(base.view(), search); }, "k must be");
  search.k = std::size_t{1} << 62;  // times 50 queries: 2^63 * 25, which is 0 modulo 2^64
  fails([&] { index.search(base.view(), search); }, "no memory holds the answers of 50 queries");
  search = {};
  search.nprobe = 0;
  fails([&] { index.search(base.view(), search); }, "nprobe must be");
  search = {};
  search.confidence = 1.5F;
  fails([&] { index.search(base.view(), search); }, "not 1.5");
  base.row(31)[2] = std::nanf("");
  fails([&] { index.search(base.view()); }, "query 31 holds NaN in column 2");
  fails([&] { Index::build(base.view()); }, "base vector 31 holds NaN in column 2");
  base.row(31)[2] = 3e38F;
  fails([&] { Index::build(base.view()); }, "base vector 31 is too long");
  BuildOptions build;
  build.quantizer = "pq8";
  fails([&] { Index::build(wrong_dim.view(), build); }, "pq8");
  build = {};
  build.centroids = base.view().slice(0, 4);
  fails([&] { Index::build(wrong_dim.view(), build); }, "centroids have dim 8, the base has 9");
}

TEST(Search, RefusesListsThatItCannotScan) {
  const auto base = clustered(50, 8, 17);
  BuildOptions build;
  build.nlist = 6;
  const Index index = Index::build(base.view(), build);
  const auto fails = [&](std::vector<std::uint32_t> lists, std::size_t rows, const char* text,
                         SearchOptions search = {}) {
    search.lists = {lists.data(), rows, lists.size() / rows};
    EXPECT_THAT([&] { index.search(base.view().slice(0, 2), search); },
                ThrowsMessage<std::invalid_argument>(HasSubstr(text)));
  };
  fails({0, 1, 2, 6}, 2, "list 6 of query 1: the index has 6 lists");
  fails({0, 1, 5, 5}, 2, "query 1 names list 5 twice");
  fails({0, 1, 2}, 3, "lists are given for 3 queries, there are 2");
  fails({}, 2, "lists name none for any query");
  SearchOptions both;
  both.nprobe = 1;
  fails({0, 1}, 2, "leave nprobe and target_recall out", both);
  both = {};
  both.target_recall = .9;
  fails({0, 1}, 2, "leave nprobe and target_recall out", both);
}

TEST(Search, ABuildCanBeCancelled) {
  const auto base = clustered(500, 16, 19);
  BuildOptions build;
  build.progress = [](std::string_view stage, double) { return stage != "encode"; };
  EXPECT_THROW(Index::build(base.view(), build), Cancelled);
}

TEST(Search, KMeansReportsWithinAnIterationAndNeverBackwards) {
  const auto base = clustered(20000, 4, 23);
  BuildOptions build;
  build.nlist = 80;
  build.kmeans_iterations = 1;
  std::vector<double> fractions;
  build.progress = [&](std::string_view stage, double fraction) {
    if (stage == "k-means") fractions.push_back(fraction);
    return true;
  };
  (void)Index::build(base.view(), build);
  EXPECT_GE(fractions.size(), 3U);  // a round over 20000 rows, a report each 16384, the end
  EXPECT_TRUE(std::is_sorted(fractions.begin(), fractions.end()));
  EXPECT_EQ(fractions.back(), 1);
}

TEST(Presets, NameQuantizersThatExistAndUnknownOnesAreRefusedByName) {
  for (const Preset& preset : presets()) {
    EXPECT_EQ(parse_preset(preset.name).quantizer, preset.quantizer);
    EXPECT_NO_THROW((void)make_quantizer(preset.quantizer, 8));
  }
  EXPECT_THAT([] { (void)parse_preset("best"); },
              ThrowsMessage<std::invalid_argument>(
                  HasSubstr("unknown preset 'best'; valid: fast, small, tiny, exact")));
}

}  // namespace
}  // namespace obliq

// Searches under filters: k answers wherever there are k, each of which passes, the same whichever
// way they are found.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <unordered_set>

#include "core/random.h"
#include "index/index_access.h"
#include "obliq/index.h"
#include "obliq/model.h"
#include "storage/temporary_folder.h"
#include "tests/index/cases.h"

namespace obliq {
namespace {

using testing::clustered;
using ::testing::HasSubstr;

constexpr std::size_t kDim = 24;
constexpr std::size_t kN = 3000;
constexpr std::size_t kQueries = 20;

struct Shape {
  Metric metric;
  double spill;
  RawTier raw;
  const char* quantizer;
  std::size_t segments;  // 0: an index of positions
};

std::ostream& operator<<(std::ostream& out, const Shape& shape) {
  return out << to_string(shape.metric) << ' ' << shape.quantizer << " spill " << shape.spill << ' '
             << to_string(shape.raw) << ' ' << shape.segments << " segments";
}

class Filtered : public ::testing::TestWithParam<Shape> {
 protected:
  Filtered()
      : base_(clustered(kN, kDim, 31, 30)), queries_(clustered(kQueries, kDim, 32, 30)), ids_(kN) {
    const Shape shape = GetParam();
    BuildOptions build;
    build.metric = shape.metric;
    build.spill = shape.spill;
    build.raw = shape.raw;
    build.quantizer = shape.quantizer;
    build.nlist = 100;
    build.kmeans_iterations = 3;
    build.tune = false;
    std::iota(ids_.begin(), ids_.end(), std::int64_t{0});
    if (shape.segments == 0) {
      index_ = std::make_unique<Index>(Index::build(base_.view(), build));
      return;
    }
    for (std::int64_t& id : ids_) id = 7 * id - 500;
    build.ids = {ids_.data(), kN, 1};
    const Model model = Model::train(base_.view(), build);
    std::vector<std::string> files;
    for (std::size_t s = 0; s < shape.segments; ++s) {
      const std::size_t first = s * kN / shape.segments;
      const std::size_t rows = (s + 1) * kN / shape.segments - first;
      EncodeOptions encode;
      encode.ids = build.ids.slice(first, rows);
      encode.truth = false;
      files.push_back(folder_ / std::to_string(s));
      model.encode(base_.view().slice(first, rows), files.back(), encode);
    }
    index_ = std::make_unique<Index>(Index::open(model, files));
  }

  // All vectors by their distance, for each query, where nothing is pruned.
  SearchResult all() const {
    SearchOptions options = unpruned();
    options.k = kN;
    return index_->search(queries_.view(), options);
  }
  static SearchOptions unpruned() {
    SearchOptions options;
    options.nprobe = 100;
    options.confidence = 1;
    return options;
  }

  TemporaryFolder folder_;
  Matrix<float> base_;
  Matrix<float> queries_;
  std::vector<std::int64_t> ids_;
  std::unique_ptr<Index> index_;
};

using IdSet = std::unordered_set<std::int64_t>;

// A random share of the ids, or a run of those that are nearest to a query, or farthest from it.
IdSet random_ids(Random& random, const SearchResult& all) {
  const auto count = static_cast<std::size_t>(
      std::exp(random.uniform() * std::log(static_cast<double>(kN))) + random.uniform() * 3 - 1);
  const std::size_t q = random.below(kQueries);
  std::vector<std::int64_t> ids(all.ids.row(q), all.ids.row(q) + kN);
  const std::uint64_t kind = random.below(4);
  if (kind == 1) std::reverse(ids.begin(), ids.end());
  for (std::size_t i = 0; kind > 1 && i < count && i < kN; ++i) {
    std::swap(ids[i], ids[i + random.below(kN - i)]);
  }
  return {ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(std::min(count, kN))};
}

// The first k of all that are in the set.
void expect_first(const SearchResult& all, std::size_t q, const IdSet& ids, const float* distances,
                  const std::int64_t* found, std::size_t k) {
  std::size_t next = 0;
  for (std::size_t i = 0; i < kN && next < k; ++i) {
    if (!ids.contains(all.ids.row(q)[i])) continue;
    ASSERT_EQ(found[next], all.ids.row(q)[i]) << "answer " << next << " of " << ids.size();
    ASSERT_EQ(distances[next], all.distances.row(q)[i]) << "answer " << next;
    ++next;
  }
  for (; next < k; ++next) ASSERT_EQ(found[next], -1) << "answer " << next << " of " << ids.size();
}

Filter filter_of(const IdSet& ids, std::size_t way, const std::vector<std::int64_t>& all) {
  std::vector<std::int64_t> some(ids.begin(), ids.end());
  if (way == 0) return Filter::allow(some);
  if (way == 1) return Filter::callback([ids](std::int64_t id) { return ids.contains(id); });
  std::vector<std::int64_t> others;
  for (const std::int64_t id : all) {
    if (!ids.contains(id)) others.push_back(id);
  }
  return Filter::deny(others);
}

// 10,000 filters in all: 6 shapes, some of whose searches score rows and some scan lists.
TEST_P(Filtered, FindsTheNearestOfThoseThatPassHoweverTheyAreFound) {
  const SearchResult everything = all();
  Random random(5);
  std::vector<std::uint32_t> lists(100);
  std::iota(lists.begin(), lists.end(), 0U);
  std::size_t direct = 0;
  std::size_t masked = 0;
  for (std::size_t round = 0; round < 1700; ++round) {
    const IdSet ids = random_ids(random, everything);
    SearchOptions options = unpruned();
    options.filter = filter_of(ids, round % 3, ids_);
    options.k = 1 + random.below(30);
    std::vector<SearchExplanation> explained;
    if (round % 2 == 0) options.explain = &explained;
    if (round % 4 == 0) {  // lists that are named are scanned
      options.nprobe = {};
      options.lists = {lists.data(), 1, lists.size()};
    }
    const std::size_t q = random.below(kQueries);
    const SearchResult found = index_->search(queries_.view().slice(q, 1), options);
    expect_first(everything, q, ids, found.distances.row(0), found.ids.row(0), options.k);
    if (HasFatalFailure()) return;
    if (explained.empty()) continue;
    EXPECT_EQ(explained[0].allowed, ids.size());
    ++(explained[0].method == SearchMethod::direct ? direct : masked);
  }
  EXPECT_GT(direct, 100U);
  EXPECT_GT(masked, 100U);
}

// With few lists to begin with, more are scanned until there are k.
TEST_P(Filtered, GoesOnUntilThereAreKWhateverTheLists) {
  const SearchResult everything = all();
  Random random(6);
  for (std::size_t round = 0; round < 300; ++round) {
    const IdSet ids = random_ids(random, everything);
    SearchOptions options;
    if (round % 2 == 0) options.nprobe = 1 + random.below(5);
    options.filter = filter_of(ids, 0, ids_);
    options.k = 1 + random.below(30);
    const SearchResult found = index_->search(queries_.view(), options);
    for (std::size_t q = 0; q < kQueries; ++q) {
      const std::int64_t* row = found.ids.row(q);
      const std::size_t expected = std::min(options.k, ids.size());
      for (std::size_t i = 0; i < options.k; ++i) {
        ASSERT_EQ(row[i] != -1, i < expected) << round << ": answer " << i << " of " << expected;
        ASSERT_TRUE(i >= expected || ids.contains(row[i]));
      }
    }
  }
}

TEST_P(Filtered, HasTheSameAnswersInBatchesOfBothOrders) {
  const SearchResult everything = all();
  Random random(7);
  for (std::size_t round = 0; round < 40; ++round) {
    const IdSet ids = random_ids(random, everything);
    SearchOptions options;
    options.nprobe = 1 + random.below(60);
    options.filter = filter_of(ids, round % 3, ids_);
    options.batch_order = BatchOrder::query;
    const SearchResult one = index_->search(queries_.view(), options);
    options.batch_order = BatchOrder::list;
    const SearchResult other = index_->search(queries_.view(), options);
    ASSERT_EQ(one.ids.values, other.ids.values);
    ASSERT_EQ(one.distances.values, other.distances.values);
  }
}

TEST_P(Filtered, CountsWhatPassesAllOfSeveralFilters) {
  const std::vector<std::int64_t> few(ids_.begin(), ids_.begin() + 100);
  const std::vector<std::int64_t> none(ids_.begin() + 90, ids_.begin() + 200);
  const Filter both[] = {Filter::allow(few), Filter::deny(none)};
  EXPECT_EQ(index_->count(Filter::all_of(both)), 90U);
  EXPECT_EQ(index_->count(Filter::allow({})), 0U);
  EXPECT_EQ(index_->count(Filter::deny({})), kN);
}

INSTANTIATE_TEST_SUITE_P(Shapes, Filtered,
                         ::testing::Values(Shape{Metric::l2, .5, RawTier::none, "sq8", 0},
                                           Shape{Metric::cosine, .5, RawTier::none, "lm4", 3},
                                           Shape{Metric::ip, 1, RawTier::none, "sq8", 0},
                                           Shape{Metric::l2, 0, RawTier::fp32, "lm2", 2},
                                           Shape{Metric::cosine, 1, RawTier::fp16, "sq8", 0},
                                           Shape{Metric::ip, 0, RawTier::none, "lm4", 4}));

TEST(Filters, AreRefusedWhereTheyDoNotFit) {
  const Matrix<float> base = clustered(500, kDim, 1, 5);
  const Index index = Index::build(base.view(), {});
  const auto expect_refused = [&](const Filter& filter, const char* why) {
    SearchOptions options;
    options.filter = filter;
    try {
      (void)index.search(base.view().slice(0, 1), options);
      FAIL() << why;
    } catch (const std::invalid_argument& error) {
      EXPECT_THAT(error.what(), HasSubstr(why));
    }
  };
  expect_refused(Filter::positions(std::vector<std::uint8_t>(499)), "499 values by position");
  const std::vector<std::string_view> keys = {"a"};
  expect_refused(Filter::allow_keys(keys), "keys are given, ids are numbers here");
  expect_refused(Filter::where("year > 3"), "there is no column 'year'");
  EXPECT_THROW((void)Filter::callback({}), std::invalid_argument);
  EXPECT_THROW((void)Filter::all_of({}), std::invalid_argument);
  std::vector<std::uint8_t> odd(500);
  for (std::size_t i = 1; i < odd.size(); i += 2) odd[i] = 1;
  EXPECT_EQ(index.count(Filter::positions(odd)), 250U);
}

ColumnValues years(std::size_t n) {
  ColumnValues year(ColumnSpec{"year", ColumnType::int64});
  for (std::size_t i = 0; i < n; ++i) {
    if (i % 10 == 9) {
      year.add_null();
    } else {
      year.add(std::int64_t{2000} + static_cast<std::int64_t>(i % 10));
    }
  }
  return year;
}

TEST(Filters, ByExpressionsAndTheirColumnsReturned) {
  const Matrix<float> base = clustered(1000, kDim, 1, 5);
  BuildOptions build;
  const ColumnValues column = years(1000);
  build.columns = {&column, 1};
  const Index index = Index::build(base.view(), build);
  SearchOptions options;
  options.filter = Filter::where("year >= ? and year != 2005", {std::int64_t{2004}});
  EXPECT_EQ(index.count(*options.filter), 400U);
  const std::vector<std::string> names = {"year"};
  options.columns = names;
  options.k = 500;
  const SearchResult found = index.search(base.view().slice(3, 1), options);
  ASSERT_EQ(found.columns.size(), 1U);
  ASSERT_EQ(found.columns[0].size(), 500U);
  for (std::size_t i = 0; i < 500; ++i) {
    const std::int64_t id = found.ids.row(0)[i];
    ASSERT_EQ(id == -1, i >= 400) << i;
    ASSERT_EQ(found.columns[0].is_null(i), id == -1);
    if (id == -1) continue;
    ASSERT_EQ(found.columns[0].integer(i), 2000 + id % 10);
    ASSERT_THAT(id % 10, ::testing::AnyOf(4, 6, 7, 8));
  }
  const std::vector<std::int64_t> ids = {19, 4, -1};
  const Columns values = index.get_columns(ids);
  EXPECT_TRUE(values[0].is_null(0));
  EXPECT_EQ(values[0].integer(1), 2004);
  EXPECT_TRUE(values[0].is_null(2));
  EXPECT_THROW((void)index.get_columns(std::vector<std::int64_t>{1000}), std::invalid_argument);
  const std::vector<std::string> absent = {"yaer"};
  EXPECT_THROW((void)index.get_columns(ids, absent), std::invalid_argument);
}

// Without clusters, as embeddings mostly are: `latent` normal numbers, mixed to kDim, and some
// noise.
Matrix<float> spread_out(std::size_t n, std::size_t latent, std::uint64_t seed) {
  Random random(seed);
  Matrix<float> mix(latent, kDim);
  for (float& value : mix.values) value = static_cast<float>(random.gaussian());
  Matrix<float> x(n, kDim);
  for (std::size_t i = 0; i < n; ++i) {
    for (float& value : std::span(x.row(i), kDim))
      value = static_cast<float>(.3 * random.gaussian());
    for (std::size_t l = 0; l < latent; ++l) {
      const auto z = static_cast<float>(random.gaussian());
      for (std::size_t d = 0; d < kDim; ++d) x.row(i)[d] += z * mix.row(l)[d];
    }
  }
  return x;
}

// Rows near the queries, far from them, and anywhere: for a share of a tenth, half and a hundredth
// the recall is that of the search without a filter less .005, but for chance: of 400 queries with
// 10 answers each, two standard errors of the difference are below .01.
TEST(Filters, KeepTheTargetRecallWhereverTheAllowedRowsLie) {
  constexpr std::size_t kMany = 20000;
  const Matrix<float> all = spread_out(kMany + 400, 8, 41);
  const Index index = Index::build(all.view().slice(0, kMany), {});
  const MatrixView<float> queries = all.view().slice(kMany, 400);
  SearchOptions options;
  options.target_recall = .9;
  SearchOptions exact;
  exact.nprobe = index.stats().nlist;
  exact.confidence = 1;
  const auto recall = [&](std::optional<Filter> filter) {
    options.filter = exact.filter = filter;
    const SearchResult truth = index.search(queries, exact);
    const SearchResult found = index.search(queries, options);
    std::size_t hits = 0;
    for (std::size_t q = 0; q < queries.rows; ++q) {
      for (std::size_t i = 0; i < 10; ++i) {
        hits += found.distances.row(q)[i] <= truth.distances.row(q)[9] ? 1 : 0;
      }
    }
    return static_cast<double>(hits) / static_cast<double>(10 * queries.rows);
  };
  const double without = recall({});
  exact.filter.reset();
  exact.k = kMany;
  const SearchResult around = index.search(queries.slice(0, 1), exact);
  exact.k = 10;
  for (const std::size_t count : {kMany / 2, kMany / 10, kMany / 100}) {
    const std::int64_t* row = around.ids.row(0);
    const std::vector<std::int64_t> near(row, row + count);
    const std::vector<std::int64_t> far(row + kMany - count, row + kMany);
    EXPECT_GE(recall(Filter::allow(near)), without - .015) << count << " near";
    EXPECT_GE(recall(Filter::allow(far)), without - .015) << count << " far";
    const auto every = static_cast<std::int64_t>(kMany / count);
    EXPECT_GE(recall(Filter::callback([every](std::int64_t id) { return id % every == 0; })),
              without - .015)
        << count << " anywhere";
  }
}

// By the stop rule, too, whose look at the nearest lists ends with a round, not within one.
TEST(Filters, StopByWhatTheyMeetInTheSamePlaceInBatchesOfBothOrders) {
  constexpr std::size_t kMany = 8000;
  const Matrix<float> all = spread_out(kMany + 200, 16, 43);
  const Index index = Index::build(all.view().slice(0, kMany), {});
  const MatrixView<float> queries = all.view().slice(kMany, 200);
  SearchOptions options;
  options.k = kMany;
  options.nprobe = index.stats().nlist;
  const SearchResult around = index.search(queries.slice(0, 1), options);
  options = {};
  options.target_recall = .8;
  for (const std::size_t share : {2, 3, 5, 8}) {
    const std::int64_t* row = around.ids.row(0);
    const std::vector<std::int64_t> near(row, row + kMany / share);
    options.filter = Filter::allow(near);
    options.batch_order = BatchOrder::query;
    const SearchResult one = index.search(queries, options);
    options.batch_order = BatchOrder::list;
    const SearchResult other = index.search(queries, options);
    EXPECT_EQ(one.ids.values, other.ids.values) << "1 of " << share;
    EXPECT_EQ(one.distances.values, other.distances.values) << "1 of " << share;
  }
}

}  // namespace
}  // namespace obliq

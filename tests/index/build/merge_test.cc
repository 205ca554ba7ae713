// Segments merged: the same file as one build, whatever the cut, the order and the number of steps.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "index/model_access.h"
#include "obliq/model.h"
#include "tests/index/cases.h"
#include "tests/index/file_case.h"
#include "tests/storage/files.h"

namespace obliq {
namespace {

using ::testing::AllOf;
using testing::clustered;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr std::size_t kRows = 1500;
constexpr std::size_t kDim = 21;

const Matrix<float>& base() {
  static const Matrix<float> base = clustered(kRows, kDim, 61, 40);
  return base;
}

/// Ids that neither rise nor follow from the place.
Matrix<std::int64_t> scattered_ids(std::size_t n) {
  Matrix<std::int64_t> ids(n, 1);
  for (std::size_t i = 0; i < n; ++i) {
    ids.values[i] = static_cast<std::int64_t>(i * 7919 % n) * 1'000'003 - 500'000'000;
  }
  return ids;
}

/// A place where the base is cut, or none.
using Cuts = std::vector<std::size_t>;

class Merge : public testing::IndexFileCase {
 protected:
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  Bytes bytes_of(const std::string& name) const { return read_bytes(path(name)); }

  /// Encodes the base in parts. The files of the segments.
  std::vector<std::string> encode(const Model& model, const Matrix<float>& vectors,
                                  const BuildOptions& build, const Cuts& cuts) const {
    std::vector<std::string> files;
    std::size_t first = 0;
    for (std::size_t i = 0; i <= cuts.size(); ++i) {
      const std::size_t end = i == cuts.size() ? vectors.rows : cuts[i];
      EncodeOptions options;
      if (build.ids.rows > 0) {
        options.ids = build.ids.slice(first, end - first);
      } else {
        options.first = first;
      }
      options.threads = 1 + static_cast<int>(i % 2);
      files.push_back(path("part" + std::to_string(i)));
      model.encode(vectors.view().slice(first, end - first), files.back(), options);
      first = end;
    }
    return files;
  }

  /// Builds the base whole and in parts, in several orders, and by ranges of lists.
  void expect_same_file(const Matrix<float>& vectors, const BuildOptions& build,
                        const std::string& what) {
    Index::build_file(MatrixSource(vectors.view()), path("whole"), build);
    const Bytes whole = bytes_of("whole");
    const Model model = Model::train(vectors.view(), build);
    for (const Cuts& cuts : {Cuts{}, Cuts{700}, Cuts{0, 1, 300, 301, 900, 1499}}) {
      std::vector<std::string> files = encode(model, vectors, build, cuts);
      for (int order = 0; order < 2; ++order) {
        merge(model, files, path("merged"));
        EXPECT_TRUE(bytes_of("merged") == whole) << what << ", " << files.size() << " parts";
        std::rotate(files.begin(), files.begin() + static_cast<std::ptrdiff_t>(files.size() / 2),
                    files.end());
      }
    }
  }
};

struct Spec {
  const char* quantizer;
  double spill;
  RawTier raw;
};

class MergeOfSpec : public Merge, public ::testing::WithParamInterface<Spec> {};

INSTANTIATE_TEST_SUITE_P(
    Specs, MergeOfSpec,
    ::testing::Values(Spec{"sq8", .5, RawTier::none}, Spec{"sq8", 0, RawTier::fp16},
                      Spec{"lm4", 1, RawTier::none}, Spec{"lm1", .5, RawTier::fp32},
                      Spec{"tq4", .2, RawTier::none}, Spec{"tqp4", .5, RawTier::none},
                      Spec{"e8q14", .5, RawTier::none}, Spec{"kashin4", .5, RawTier::none},
                      Spec{"wf4", .5, RawTier::none}, Spec{"lm4:query", .5, RawTier::none},
                      Spec{"tq2.5", .5, RawTier::none}),
    [](const auto& spec) {
      std::string name = spec.param.quantizer;
      std::replace(name.begin(), name.end(), ':', '_');
      std::replace(name.begin(), name.end(), '.', '_');
      return name + "_" + to_string(spec.param.raw);
    });

TEST_P(MergeOfSpec, IsTheFileOfOneBuildWhateverTheCut) {
  for (const Metric metric : {Metric::l2, Metric::ip, Metric::cosine}) {
    BuildOptions build;
    build.metric = metric;
    build.quantizer = GetParam().quantizer;
    build.spill = GetParam().spill;
    build.raw = GetParam().raw;
    build.nlist = 40;
    build.kmeans_iterations = 3;
    build.tune = metric == Metric::l2;
    const Matrix<std::int64_t> ids = scattered_ids(kRows);
    if (metric != Metric::ip) build.ids = ids.view();
    if (!build.tune) {
      // A merge without tuning is that of a build without.
      MergeOptions options;
      options.tune = false;
      Index::build_file(MatrixSource(base().view()), path("whole"), build);
      const Model model = Model::train(base().view(), build);
      const auto files = encode(model, base(), build, {500, 501});
      merge(model, files, path("merged"), options);
      EXPECT_TRUE(bytes_of("merged") == bytes_of("whole")) << to_string(metric);
      continue;
    }
    expect_same_file(base(), build, to_string(metric));
  }
}

TEST_F(Merge, IsTheSameWhereAnEncoderLooksAtNearGroupsOfLists) {
  BuildOptions build;
  build.nlist = 300;
  build.list_groups = 40;
  build.spill = .5;
  ASSERT_GT(ModelAccess::get(Model::train(base().view(), build))->info.near_margin, 0);
  expect_same_file(base(), build, "groups");
}

TEST_F(Merge, OfSegmentsMergedBeforeIsTheSame) {
  BuildOptions build;
  build.nlist = 300;
  const Model model = Model::train(base().view(), build);
  const auto files = encode(model, base(), build, {100, 400, 800, 1200});
  merge(model, files, path("at once"));
  MergeOptions as_segment;
  as_segment.as_segment = true;
  const std::vector<std::string> some = {files[3], files[0], files[2]};
  merge(model, some, path("some"), as_segment);
  const std::vector<std::string> all = {files[4], path("some"), files[1]};
  merge(model, all, path("in steps"));
  EXPECT_TRUE(bytes_of("in steps") == bytes_of("at once"));
}

TEST_F(Merge, OfRangesOfListsIsTheSame) {
  const auto wide = clustered(3000, 12, 62, 300);
  for (const char* quantizer : {"sq8", "lm4"}) {
    BuildOptions build;
    build.quantizer = quantizer;
    build.spill = .7;
    build.nlist = 600;
    const Matrix<std::int64_t> ids = scattered_ids(wide.rows);
    if (std::string("lm4") == quantizer) build.ids = ids.view();
    const Model model = Model::train(wide.view(), build);
    const auto files = encode(model, wide, build, {1000, 1700});
    merge(model, files, path("at once"));
    std::vector<std::string> ranges;
    for (const ListRange range : {ListRange{512, 600}, {0, 256}, {256, 512}}) {
      MergeOptions options;
      options.lists = range;
      ranges.push_back(path("range" + std::to_string(range.first)));
      merge(model, files, ranges.back(), options);
    }
    merge(model, ranges, path("joined"));
    EXPECT_TRUE(bytes_of("joined") == bytes_of("at once")) << quantizer;
    // Ranges that no block respects join as well.
    ranges.clear();
    for (const ListRange range : {ListRange{0, 7}, {7, 333}, {333, 600}}) {
      MergeOptions options;
      options.lists = range;
      ranges.push_back(path("part" + std::to_string(range.first) + "range"));
      merge(model, files, ranges.back(), options);
    }
    merge(model, ranges, path("joined"));
    EXPECT_TRUE(bytes_of("joined") == bytes_of("at once")) << quantizer;
  }
}

// Units of lists with an outlier are 2^30 times as large as those of the same lists in other cuts.
TEST_F(Merge, KeepsItsBytesWithAnOutlierInOneOfSevenCuts) {
  for (const Metric metric : {Metric::l2, Metric::ip}) {
    Matrix<float> vectors = base();
    for (std::size_t j = 0; j < kDim; ++j) vectors.row(1111)[j] *= 0x1p30F;
    BuildOptions build;
    build.metric = metric;
    build.nlist = 12;
    build.spill = 1;
    Index::build_file(MatrixSource(vectors.view()), path("whole"), build);
    const Model model = Model::train(vectors.view(), build);
    const auto files = encode(model, vectors, build, {200, 400, 600, 800, 1000, 1200});
    merge(model, files, path("merged"));
    EXPECT_TRUE(bytes_of("merged") == bytes_of("whole")) << to_string(metric);
    MergeOptions as_segment;
    as_segment.as_segment = true;
    std::string done = files[0];
    for (std::size_t i = 1; i < files.size(); ++i) {
      const std::vector<std::string> two = {files[i], done};
      done = path("chain" + std::to_string(i));
      merge(model, two, done, as_segment);
    }
    merge(model, std::vector<std::string>{done}, path("chain"));
    EXPECT_TRUE(bytes_of("chain") == bytes_of("whole")) << to_string(metric);
  }
}

TEST_F(Merge, OfASampleTrainedElsewhereIsTheSame) {
  BuildOptions build;
  build.nlist = 20;
  build.kmeans_points = 20;
  const std::size_t count = sample_size(kRows, build);
  ASSERT_EQ(count, 400U);
  std::vector<std::size_t> rows(kRows);
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  std::sort(rows.begin(), rows.end(), [](std::size_t a, std::size_t b) {
    return sample_key(1, static_cast<std::int64_t>(a)) <
           sample_key(1, static_cast<std::int64_t>(b));
  });
  rows.resize(count + 50);  // more does no harm
  std::reverse(rows.begin(), rows.end());
  Matrix<float> sample(rows.size(), kDim);
  Matrix<std::int64_t> ids(rows.size(), 1);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::copy_n(base().row(rows[i]), kDim, sample.row(i));
    ids.values[i] = static_cast<std::int64_t>(rows[i]);
  }
  build.ids = ids.view();
  Model::train(sample.view(), build, kRows).save(path("sample"));
  build.ids = {};
  Model::train(base().view(), build).save(path("base"));
  EXPECT_TRUE(bytes_of("sample") == bytes_of("base"));
}

TEST_F(Merge, LeavesDeletedVectorsOut) {
  BuildOptions build;
  build.nlist = 30;
  build.spill = 1;
  const Model model = Model::train(base().view(), build);
  const auto files = encode(model, base(), build, {750});
  std::vector<std::int64_t> deleted = {1'000'000'000};
  for (std::int64_t id = 0; id < 1500; id += 3) deleted.push_back(id);
  MergeOptions options;
  options.deleted = deleted;
  merge(model, files, path("merged"), options);
  const Index index = Index::open(path("merged"), {.verify = true});
  EXPECT_EQ(index.stats().n, 1000U);
  SearchOptions search;
  search.nprobe = 30;
  search.confidence = 1;
  search.k = 1;
  const SearchResult found = index.search(base().view(), search);
  for (std::int64_t id = 0; id < 1500; ++id) {
    EXPECT_EQ(index.contains(id), id % 3 != 0) << id;
    const std::int64_t answer = found.ids.row(static_cast<std::size_t>(id))[0];
    EXPECT_NE(answer % 3, 0);
    if (id % 3 != 0) {
      EXPECT_EQ(answer, id);
    }
  }
}

TEST_F(Merge, OfVectorsWithIdsTakesNoPositions) {
  BuildOptions build;
  build.nlist = 10;
  const Model model = Model::train(base().view(), build);
  const Matrix<std::int64_t> ids = scattered_ids(kRows);
  EncodeOptions options;
  options.ids = ids.view();
  options.first = 7;
  EXPECT_THAT([&] { model.encode(base().view(), path("a"), options); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("first is 7")));
  EXPECT_FALSE(std::filesystem::exists(path("a")));
  options.first = 0;
  model.encode(base().view(), path("a"), options);
  EXPECT_TRUE(std::filesystem::exists(path("a")));
}

TEST_F(Merge, RefusesAnIdInTwoSegmentsOrLetsTheLastStand) {
  BuildOptions build;
  build.nlist = 10;
  const Model model = Model::train(base().view(), build);
  EncodeOptions encode_options;
  model.encode(base().view().slice(0, 800), path("a"), encode_options);
  encode_options.first = 799;
  model.encode(base().view().slice(800, 700), path("b"), encode_options);
  const std::vector<std::string> both = {path("a"), path("b")};
  EXPECT_THAT([&] { merge(model, both, path("merged")); },
              ThrowsMessage<std::invalid_argument>(
                  AllOf(HasSubstr("the id 799 is in"), HasSubstr("with the option duplicates"))));
  MergeOptions options;
  options.duplicates = MergeOptions::Duplicates::last;
  merge(model, both, path("merged"), options);
  const Index index = Index::open(path("merged"), {.verify = true});
  EXPECT_EQ(index.stats().n, 1499U);
  std::vector<float> vector(kDim);
  index.reconstruct(799, vector.data());
  double to_last = 0;
  double to_first = 0;
  for (std::size_t j = 0; j < kDim; ++j) {
    to_last += std::pow(vector[j] - base().row(800)[j], 2);
    to_first += std::pow(vector[j] - base().row(799)[j], 2);
  }
  EXPECT_LT(to_last, to_first);
}

TEST_F(Merge, RefusesSegmentsOfAnotherModelAndNamesBoth) {
  BuildOptions build;
  build.nlist = 10;
  const Model model = Model::train(base().view(), build);
  build.seed = 2;
  const Model other = Model::train(base().view(), build);
  other.encode(base().view(), path("other"));
  const std::vector<std::string> files = {path("other")};
  const auto refused = [&](auto call) {
    EXPECT_THAT(call, ThrowsMessage<std::invalid_argument>(
                          HasSubstr(fmt::format("{:016x}", model.stats().id))));
    EXPECT_THAT(call, ThrowsMessage<std::invalid_argument>(
                          HasSubstr(fmt::format("{:016x}", other.stats().id))));
  };
  refused([&] { merge(model, files, path("merged")); });
  refused([&] { Index::open(model, files); });
}

TEST_F(Merge, RefusesRangesThatAreNone) {
  BuildOptions build;
  build.nlist = 10;
  const Model model = Model::train(base().view(), build);
  const auto files = encode(model, base(), build, {});
  for (const ListRange range : {ListRange{3, 3}, {5, 2}, {0, 11}}) {
    MergeOptions options;
    options.lists = range;
    EXPECT_THAT([&] { merge(model, files, path("merged"), options); },
                ThrowsMessage<std::invalid_argument>(HasSubstr("none of the model's")));
  }
}

TEST_F(Merge, OfNothingIsAnEmptyIndex) {
  const Model model = Model::train(base().view(), {});
  merge(model, {}, path("merged"));
  EXPECT_EQ(Index::open(path("merged"), {.verify = true}).stats().n, 0U);
}

TEST_F(Merge, RefusesBoundsThatItExceeds) {
  const Model model = Model::train(base().view(), {});
  MergeOptions options;
  options.max_memory = 1000;
  EXPECT_THAT([&] { merge(model, {}, path("merged"), options); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("too little to merge")));
}

TEST_F(Merge, RoutesAsASearchDoes) {
  BuildOptions build;
  build.nlist = 50;
  build.tune = false;
  Index::build(base().view(), build).save(path_);
  const Index index = Index::open(path_);
  const Model model = Model::open(path_);
  const auto queries = clustered(20, kDim, 63, 40);
  const Matrix<std::uint32_t> lists = model.route(queries.view(), 9);
  SearchOptions given;
  given.lists = lists.view();
  SearchOptions routed;
  routed.nprobe = 9;
  const SearchResult one = index.search(queries.view(), given);
  const SearchResult other = index.search(queries.view(), routed);
  EXPECT_EQ(one.ids.values, other.ids.values);
  EXPECT_EQ(one.distances.values, other.distances.values);
}

}  // namespace
}  // namespace obliq

// Pins the bytes of saved indexes and the bits of answers. A change that means to alter them
// re-pins only the rows it must, in a commit of its own that says why.
//
// The rows of golden/frozen_indexes.txt are "name file_hash answers_hash", each hash FNV-1a of 64
// bits. They hold on each ISA and for any number of threads; a failure prints the row
// that came out.
#include "tests/index/frozen.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <ostream>
#include <set>
#include <span>
#include <string>

#include "obliq/index.h"

namespace obliq {
namespace {

using testing::answers_hash;
using testing::file_hash;
using testing::golden;
using testing::queries;
using testing::vectors;

constexpr std::size_t kQueries = 40;
constexpr std::size_t kTrainQueries = 300;

/// What a row has besides the build's options.
struct Extras {
  bool ids = false;            // external ones
  bool centroids = false;      // given ones, build.nlist of them
  bool train_queries = false;  // given to the build
  bool rough = false;          // a zero vector, one far away, and duplicates
  bool file = false;           // build_file in place of build and save
  bool tune_again = false;     // between build and save
  bool in_memory = false;      // opened so; else mapped
};

struct Shape {
  std::size_t n = 0;
  std::size_t dim = 0;
};

struct Frozen {
  std::string name;
  Shape base;
  BuildOptions build = {};  // without views
  Extras with = {};
};

void PrintTo(const Frozen& frozen, std::ostream* out) { *out << frozen.name; }

// max_memory is a little more than the least, so that vectors go in many chunks; as the least
// counts threads, these are given with it.
const Frozen kFrozen[] = {
    // What the index does, with quantizers that are quick.
    {"sq8_l2", {4000, 32}, {.quantizer = "sq8"}},
    {"sq8_ip_odd_dim_fp32_spill",
     {3000, 33},
     {.metric = Metric::ip,
      .quantizer = "sq8",
      .nlist = 60,
      .raw = RawTier::fp32,
      .spill = .5,
      .threads = 3}},
    {"sq8_cosine_fp16_spill_ids",
     {3000, 45},
     {.metric = Metric::cosine,
      .quantizer = "sq8",
      .nlist = 50,
      .raw = RawTier::fp16,
      .spill = .3,
      .threads = 2},
     {.ids = true, .in_memory = true}},
    {"sq8_l2_all_spilled_untuned",
     {2000, 20},
     {.quantizer = "sq8",
      .nlist = 40,
      .spill = 1,
      .seed = 5,
      .threads = 3,
      .kmeans_iterations = 3,
      .tune = false}},
    {"sq8_l2_one_list_fp16", {2000, 24}, {.quantizer = "sq8", .nlist = 1, .raw = RawTier::fp16}},
    {"sq8_ip_too_few_to_tune", {600, 25}, {.metric = Metric::ip, .quantizer = "sq8", .nlist = 12}},
    {"sq8_l2_groups",
     {6000, 24},
     {.quantizer = "sq8", .nlist = 1500, .list_groups = 40, .kmeans_iterations = 2}},
    {"sq8_ip_groups_spill_file",
     {5000, 21},
     {.metric = Metric::ip,
      .quantizer = "sq8",
      .nlist = 900,
      .list_groups = 30,
      .spill = .4,
      .threads = 2,
      .kmeans_iterations = 2,
      .tune = false,
      .max_memory = 6'800'000},
     {.ids = true, .file = true}},
    {"sq8_l2_given_centroids_spill",
     {3000, 32},
     {.quantizer = "sq8", .nlist = 70, .spill = .5, .threads = 2},
     {.centroids = true}},
    {"sq8_l2_rough",
     {3000, 40},
     {.quantizer = "sq8", .nlist = 50, .raw = RawTier::fp32, .spill = .25},
     {.rough = true}},
    {"sq8_cosine_rough",
     {3000, 39},
     {.metric = Metric::cosine, .quantizer = "sq8", .nlist = 50},
     {.rough = true}},
    {"sq8_l2_file_fp32_spill_ids",
     {5000, 30},
     {.quantizer = "sq8",
      .nlist = 60,
      .raw = RawTier::fp32,
      .spill = .5,
      .threads = 3,
      .max_memory = 12'800'000},
     {.ids = true, .file = true}},
    {"sq8_cosine_file",
     {3000, 50},
     {.metric = Metric::cosine, .quantizer = "sq8", .threads = 2},
     {.file = true}},
    {"lm4_l2_tuned_again", {3000, 40}, {.quantizer = "lm4", .nlist = 60}, {.tune_again = true}},
    {"lm4_ip_fp16_tuned_again",
     {3000, 40},
     {.metric = Metric::ip, .quantizer = "lm4", .nlist = 60, .raw = RawTier::fp16, .tune = false},
     {.tune_again = true}},
    // What the quantizers do.
    {"lm1_l2", {3000, 64}, {.quantizer = "lm1", .nlist = 50, .threads = 2}},
    {"lm2_cosine", {3000, 96}, {.metric = Metric::cosine, .quantizer = "lm2", .nlist = 50}},
    {"lm4_l2_ids", {4000, 37}, {.quantizer = "lm4", .seed = 3}, {.ids = true}},
    {"lm4_ip_file_fp16_spill",
     {4000, 52},
     {.metric = Metric::ip,
      .quantizer = "lm4",
      .nlist = 60,
      .raw = RawTier::fp16,
      .spill = .5,
      .threads = 2,
      .max_memory = 12'400'000},
     {.file = true}},
    {"lm8_cosine_given_centroids",
     {2000, 29},
     {.metric = Metric::cosine, .quantizer = "lm8", .nlist = 30, .tune = false},
     {.centroids = true}},
    {"lm4_query_l2", {2000, 33}, {.quantizer = "lm4:query", .nlist = 40, .tune = false}},
    {"lm4_query_ip_train_queries",
     {2000, 48},
     {.metric = Metric::ip, .quantizer = "lm4:query", .nlist = 40, .threads = 2},
     {.train_queries = true}},
    {"lm4_query_cosine_spill_file",
     {2000, 40},
     {.metric = Metric::cosine,
      .quantizer = "lm4:query",
      .nlist = 40,
      .spill = .5,
      .threads = 2,
      .tune = false,
      .max_memory = 5'100'000},
     {.train_queries = true, .file = true}},
    {"lm2_query_l2_spill_train_queries",
     {3000, 27},
     {.quantizer = "lm2:query", .nlist = 60, .spill = .5},
     {.train_queries = true}},
    {"lm2_query_beam_l2",
     {2000, 24},
     {.quantizer = "lm2:query-beam", .nlist = 40, .tune = false},
     {.train_queries = true}},
    {"tq4_l2", {3000, 64}, {.quantizer = "tq4", .nlist = 50}},
    {"tq2_5_l2_file",
     {3000, 96},
     {.quantizer = "tq2.5", .nlist = 50, .threads = 2, .tune = false, .max_memory = 8'700'000},
     {.file = true}},
    {"tqp4_ip", {2000, 35}, {.metric = Metric::ip, .quantizer = "tqp4", .nlist = 40, .threads = 2}},
    {"tqp4_gaussian_l2", {2000, 36}, {.quantizer = "tqp4:gaussian", .nlist = 40, .tune = false}},
    {"e8q14_l2_spill", {2000, 44}, {.quantizer = "e8q14", .nlist = 40, .spill = .5, .threads = 2}},
    {"e8q8_query_ip",
     {2000, 24},
     {.metric = Metric::ip, .quantizer = "e8q8:query", .nlist = 40, .tune = false},
     {.train_queries = true}},
    {"d4q8_cosine", {2000, 30}, {.metric = Metric::cosine, .quantizer = "d4q8", .nlist = 40}},
    {"z8_l2", {2000, 27}, {.quantizer = "z8", .nlist = 40, .tune = false}},
    {"tcq2_l2", {2000, 41}, {.quantizer = "tcq2", .nlist = 40, .threads = 2}},
    {"kashin2_ip", {2000, 36}, {.metric = Metric::ip, .quantizer = "kashin2", .nlist = 40}},
    {"wf4_l2", {2000, 37}, {.quantizer = "wf4", .nlist = 40, .threads = 2}},
    {"wf4_cosine_spill",
     {2000, 48},
     {.metric = Metric::cosine, .quantizer = "wf4", .nlist = 40, .spill = .5, .threads = 1}},
};

Matrix<float> base_of(const Frozen& frozen) {
  Matrix<float> base = vectors(frozen.base.n, frozen.base.dim, 1);
  if (!frozen.with.rough) return base;
  std::fill_n(base.row(3), base.cols, 0.0F);
  for (std::size_t j = 0; j < base.cols; ++j) base.row(11)[j] *= 4096;
  for (std::size_t i = 20; i < base.rows; i += 20)
    std::copy_n(base.row(i - 1), base.cols, base.row(i));
  return base;
}

class FrozenIndex : public ::testing::TestWithParam<Frozen> {
 protected:
  FrozenIndex()
      : path_(std::filesystem::temp_directory_path() /
              ("obliq_frozen_" + std::to_string(::getpid()))) {}
  ~FrozenIndex() override { std::filesystem::remove(path_); }

  /// Leaves the index at path_. Where it is built in memory, returns its answers before it was
  /// saved.
  std::optional<std::string> make(const Matrix<float>& asked) const {
    const auto& [name, shape, options, with] = GetParam();
    const Matrix<float> base = base_of(GetParam());
    const Matrix<float> learn = queries(kTrainQueries, shape.dim, 3);
    const Matrix<float> centroids = vectors(options.nlist, shape.dim, 4);
    Matrix<std::int64_t> ids(shape.n, 1);
    for (std::size_t i = 0; i < shape.n; ++i) {
      ids.values[i] = 7 * static_cast<std::int64_t>(shape.n - i) - 100;
    }
    BuildOptions build = options;
    if (with.ids) build.ids = ids.view();
    if (with.centroids) build.centroids = centroids.view();
    if (with.train_queries) build.train_queries = learn.view();
    if (with.file) {
      Index::build_file(MatrixSource(base.view()), path_, build);
      return {};
    }
    Index index = Index::build(base.view(), build);
    if (with.tune_again) index.tune(learn.view(), {.threads = build.threads});
    index.save(path_);
    return answers_hash(index, asked);
  }

  const std::string path_;
};

TEST_P(FrozenIndex, KeepsItsFileAndItsAnswers) {
  const Frozen& frozen = GetParam();
  const Matrix<float> asked = queries(kQueries, frozen.base.dim, 2);
  const std::optional<std::string> before = make(asked);
  const Index index = Index::open(
      path_, {frozen.with.in_memory ? Residence::memory : Residence::mapped, /*verify=*/true});
  const std::string answers = answers_hash(index, asked);
  EXPECT_EQ(before.value_or(answers), answers) << "before it was saved, and opened";
  EXPECT_EQ(golden("frozen_indexes.txt")[frozen.name],
            frozen.name + " " + file_hash(path_) + " " + answers);
}

INSTANTIATE_TEST_SUITE_P(Golden, FrozenIndex, ::testing::ValuesIn(kFrozen),
                         [](const auto& row) { return row.param.name; });

TEST(FrozenIndexes, AreThoseOfTheGoldenFile) {
  std::set<std::string> tested;
  for (const Frozen& frozen : kFrozen) tested.insert(frozen.name);
  std::set<std::string> pinned;
  for (const auto& [name, row] : golden("frozen_indexes.txt")) pinned.insert(name);
  EXPECT_EQ(pinned, tested);
  EXPECT_EQ(tested.size(), std::size(kFrozen));
}

}  // namespace
}  // namespace obliq

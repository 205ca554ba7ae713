// What survives a save, and what a damaged file does: an error, never a crash.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/index/cases.h"
#include "tests/index/file_case.h"

namespace obliq {
namespace {

using testing::clustered;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class IndexFile : public testing::IndexFileCase {};

TEST_F(IndexFile, AnswersAreTheSameAfterOpening) {
  const auto base = clustered(600, 30, 1);
  const auto queries = clustered(25, 30, 2);
  for (const Metric metric : {Metric::l2, Metric::ip, Metric::cosine}) {
    for (const char* spec : {"sq8", "lm4", "tqp4:gaussian"}) {
      for (const RawTier raw : {RawTier::none, RawTier::fp16}) {
        BuildOptions build;
        build.metric = metric;
        build.quantizer = spec;
        build.raw = raw;
        const Index built = Index::build(base.view(), build);
        built.save(path_);
        const Index opened = Index::open(path_, {.verify = true});
        const Index resident = Index::open(path_, {.residence = Residence::memory});
        const auto before = built.search(queries.view());
        for (const Index* index : {&opened, &resident}) {
          const auto after = index->search(queries.view());
          EXPECT_EQ(before.ids.values, after.ids.values);
          EXPECT_EQ(before.distances.values, after.distances.values);
        }
        EXPECT_EQ(opened.stats().bytes_per_vector, built.stats().bytes_per_vector);
        EXPECT_EQ(opened.stats().file_bytes, std::filesystem::file_size(path_));
      }
    }
  }
}

TEST_F(IndexFile, EmptyIndexesSurvive) {
  Index::build(Matrix<float>(0, 7).view()).save(path_);
  const Index opened = Index::open(path_, {.verify = true});
  EXPECT_EQ(opened.stats().n, 0U);
  EXPECT_EQ(opened.search(clustered(1, 7, 3).view()).ids.values[0], -1);
}

TEST_F(IndexFile, BytesAVectorAreAsDesigned) {
  // lm{b}: b*d/8 + 8; sq8: d + d/8 + 8 without spilling; 48 bytes per list and a few empty places
  // in the blocks come on top.
  const auto base = clustered(4096, 64, 4);
  for (const auto& [spec, bytes] : {std::pair{"lm2", 24.0}, {"lm4", 40.0}, {"sq8", 80.0}}) {
    BuildOptions build;
    build.quantizer = spec;
    build.nlist = 32;
    const double measured = Index::build(base.view(), build).stats().bytes_per_vector;
    EXPECT_GE(measured, bytes) << spec;
    EXPECT_LE(measured, bytes + 1.0) << spec;
  }
}

TEST_F(IndexFile, DamageThatOpenDoesNotLookForCannotCrashASearch) {
  const auto base = clustered(200, 33, 7);
  const auto queries = clustered(4, 33, 8);
  BuildOptions build;
  build.quantizer = "lm5";
  build.raw = RawTier::fp32;
  Index::build(base.view(), build).save(path_);
  expect_damage_cannot_crash_a_search(queries.view(), 300, 9);
}

TEST_F(IndexFile, ErrorsNameFileAndSection) {
  const auto base = clustered(40, 9, 10);
  Index::build(base.view()).save(path_);
  std::string damaged = read();
  damaged[70] = static_cast<char>(damaged[70] ^ 1);  // in "model", the first section
  write(damaged);
  const auto open = [&] { Index::open(path_); };
  EXPECT_THAT(open, ThrowsMessage<std::runtime_error>(HasSubstr(path_.string())));
  EXPECT_THAT(open, ThrowsMessage<std::runtime_error>(HasSubstr("section 'model' at offset 64")));
  EXPECT_THROW(Index::open(folder_ / "missing"), std::system_error);
}

}  // namespace
}  // namespace obliq

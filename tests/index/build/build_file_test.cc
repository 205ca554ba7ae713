// Building into a file: the same bytes as building in memory and saving, whatever lies in temporary
// files and in how many pieces it is laid.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/index/cases.h"
#include "tests/storage/files.h"

namespace obliq {
namespace {

using testing::clustered;

class BuildFile : public ::testing::Test {
 protected:
  std::string file(const std::string& name) const { return folder_ / name; }
  Bytes saved(const Matrix<float>& base, const BuildOptions& build) const {
    Index::build(base.view(), build).save(file("saved"));
    return read_bytes(file("saved"));
  }
  Bytes built(const Matrix<float>& base, const BuildOptions& build) const {
    Index::build_file(MatrixSource(base.view()), file("built"), build);
    return read_bytes(file("built"));
  }

  const TemporaryFolder folder_;
};

TEST_F(BuildFile, IsByteForByteWhatBuildAndSaveGive) {
  const auto base = clustered(2000, 30, 1, 40);
  Matrix<std::int64_t> ids(base.rows, 1);
  for (std::size_t i = 0; i < ids.rows; ++i) ids.row(i)[0] = 7 * static_cast<std::int64_t>(i);
  for (const Metric metric : {Metric::l2, Metric::ip, Metric::cosine}) {
    for (const auto& [spec, raw, spill] : {std::tuple{"sq8", RawTier::none, 0.0},
                                           {"sq8", RawTier::fp32, 1.0},
                                           {"lm4", RawTier::fp16, 0.5}}) {
      BuildOptions build;
      build.metric = metric;
      build.quantizer = spec;
      build.raw = raw;
      build.spill = spill;
      build.nlist = 50;
      build.kmeans_iterations = 2;
      build.ids = ids.view();
      build.tune = metric == Metric::l2;
      const auto expected = saved(base, build);
      EXPECT_EQ(built(base, build), expected) << spec << " in memory";
      build.max_memory = 32 << 20;
      EXPECT_EQ(built(base, build), expected) << spec << " with temporary files";
    }
  }
}

TEST_F(BuildFile, OfNoVectorsOpens) {
  const Matrix<float> base(0, 8);
  EXPECT_EQ(built(base, {}), saved(base, {}));
  EXPECT_EQ(Index::open(file("built")).stats().n, 0U);
}

TEST_F(BuildFile, LeavesTheOldFileAndNoOtherWhenStopped) {
  const auto base = clustered(3000, 16, 2);
  BuildOptions build;
  build.max_memory = 32 << 20;
  const auto before = built(base, build);
  for (const std::string_view stage : {"k-means", "encode", "write", "tune"}) {
    build.progress = [stage](std::string_view at, double) { return at != stage; };
    EXPECT_THROW(built(base, build), Cancelled) << stage;
    EXPECT_EQ(read_bytes(file("built")), before) << stage;
    EXPECT_EQ(file_count(folder_), 1U) << stage;
  }
}

TEST_F(BuildFile, RefusesTooLittleMemoryAndABoundInMemory) {
  const auto base = clustered(100, 16, 3);
  BuildOptions build;
  build.max_memory = 1000;
  EXPECT_THAT([&] { (void)built(base, build); },
              ::testing::ThrowsMessage<std::invalid_argument>(
                  ::testing::HasSubstr("max_memory of 1000 bytes is too little")));
  EXPECT_THROW((void)Index::build(base.view(), build), std::invalid_argument);
}

}  // namespace
}  // namespace obliq

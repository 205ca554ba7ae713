// Predicted bytes beside those of indexes built and saved.
#include "index/segment/index_size.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "tests/index/cases.h"

namespace obliq {
namespace {

using testing::clustered;

// Lists leave at most a block empty for each pair, so predicted and true differ by less than this.
double blanks(const IndexShape& shape) {
  return item_bytes(shape).entry * 16 * static_cast<double>(shape.nlist);
}

TEST(IndexSize, IsThatOfTheFileButForBlanksBetweenLists) {
  const std::string path = ::testing::TempDir() + "/size-" + std::to_string(::getpid()) + ".obliq";
  for (const IndexShape& shape :
       {IndexShape{4000, 40, 90, "sq8"}, IndexShape{4000, 40, 90, "lm4", RawTier::fp16, 0.5},
        IndexShape{2500, 33, 50, "lm2", RawTier::none, 1}, IndexShape{900, 17, 20, "tq3.5"},
        IndexShape{3000, 24, 64, "sq8", RawTier::fp32, 0, true},
        IndexShape{3000, 32, 70, "sq8", RawTier::none, 0, false, 70},
        IndexShape{3000, 32, 90, "sq8", RawTier::none, 0, false, 0, 7}}) {
    auto base = clustered(shape.n, shape.dim, 5);
    BuildOptions build;
    if (shape.far_lists > 0) {  // far from the origin, which ip keeps
      build.metric = Metric::ip;
      for (float& value : base.values) value += 1e4F;
    }
    build.quantizer = shape.quantizer;
    build.nlist = shape.nlist;
    build.list_groups = shape.list_groups;
    build.raw = shape.raw;
    build.spill = shape.spill;
    build.kmeans_iterations = 2;
    std::vector<std::int64_t> ids(shape.n);
    for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::int64_t>(3 * i);
    if (shape.has_ids) build.ids = {ids.data(), ids.size(), 1};
    Index::build(base.view(), build).save(path);
    const IndexStats stats = Index::open(path).stats();
    const IndexSize size = index_size(shape);
    EXPECT_EQ(size.centroid_bytes, stats.centroid_bytes) << shape.quantizer;
    EXPECT_NEAR(static_cast<double>(size.file_bytes), static_cast<double>(stats.file_bytes),
                blanks(shape))
        << shape.quantizer;
    EXPECT_NEAR(size.bytes_per_vector, stats.bytes_per_vector,
                blanks(shape) / static_cast<double>(shape.n))
        << shape.quantizer;
    std::filesystem::remove(path);
  }
}

TEST(IndexSize, GrowsByTheBytesOfWhatIsAdded) {
  const IndexShape plain = {100'000, 96, 1000, "sq8"};
  IndexShape raw = plain;
  raw.raw = RawTier::fp32;
  EXPECT_EQ(index_size(raw).file_bytes - index_size(plain).file_bytes,
            100'000U * 4 * 96 + 40);  // of the table
  IndexShape ids = plain;
  ids.has_ids = true;
  EXPECT_EQ(index_size(ids).file_bytes - index_size(plain).file_bytes, 800'000U + 40);
}

TEST(IndexSize, RefusesAnUnknownQuantizer) {
  EXPECT_THROW(index_size({1000, 8, 10, "pq8"}), std::invalid_argument);
}

}  // namespace
}  // namespace obliq

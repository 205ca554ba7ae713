// Indexes with spilled vectors as files: what survives a save, and what damage does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "index/build/builder.h"
#include "index/build/residual_encoder.h"
#include "index/segment/segment_file.h"
#include "tests/index/cases.h"
#include "tests/index/file_case.h"

namespace obliq {
namespace {

using testing::clustered;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class SpilledFile : public testing::IndexFileCase {};

TEST_F(SpilledFile, AnswersAreTheSameAfterOpening) {
  const auto base = clustered(600, 30, 16);
  const auto queries = clustered(25, 30, 17);
  for (const char* spec : {"sq8", "lm4"}) {
    BuildOptions build;
    build.quantizer = spec;
    build.spill = .5;
    const Index built = Index::build(base.view(), build);
    built.save(path_);
    const Index opened = Index::open(path_, {.verify = true});
    EXPECT_EQ(opened.stats().spill, .5);
    EXPECT_EQ(opened.stats().bytes_per_vector, built.stats().bytes_per_vector);
    const auto before = built.search(queries.view());
    const auto after = opened.search(queries.view());
    EXPECT_EQ(before.ids.values, after.ids.values);
    EXPECT_EQ(before.distances.values, after.distances.values);
  }
}

TEST_F(SpilledFile, EveryFlippedBitIsDetected) {
  const auto base = clustered(30, 9, 18);
  BuildOptions build;
  build.nlist = 3;
  build.quantizer = "lm3";
  build.spill = .5;
  Index::build(base.view(), build).save(path_);
  expect_every_flip_is_detected();
}

TEST_F(SpilledFile, DamageThatOpenDoesNotLookForCannotCrashASearch) {
  const auto base = clustered(600, 33, 19);
  const auto queries = clustered(4, 33, 20);
  for (const char* spec : {"lm5", "sq8"}) {
    BuildOptions build;
    build.nlist = 4;  // so that most bytes are blocks and rows
    build.quantizer = spec;
    build.spill = 1;
    Index::build(base.view(), build).save(path_);
    expect_damage_cannot_crash_a_search(queries.view(), 600, 200, 21);
  }
}

TEST_F(SpilledFile, WrongNumbersBehindRightChecksumsAreSafeAndVerifyFindsThem) {
  const auto base = clustered(200, 33, 22);
  for (const char* spec : {"lm4", "sq8"}) {
    for (const bool entry : {false, true}) {
      BuildOptions build;
      build.quantizer = spec;
      build.spill = 1;
      Segment segment = build_segment(MatrixSource(base.view()), build);
      const RowShape& shape = segment.row_shape;
      std::vector<std::uint8_t> rows(segment.rows.begin(), segment.rows.end());
      for (std::size_t row = 0; row < 200; row += 2) {
        const PrimaryEntry sound = read_primary(shape, rows.data() + row * shape.bytes());
        const PrimaryEntry forged = entry && shape.primary_entry > 0
                                        ? PrimaryEntry{sound.list, 0xFFFFFFFFU - row}
                                        : PrimaryEntry{0xFFFFU, sound.entry};
        write_primary(shape, forged, rows.data() + row * shape.bytes());
      }
      segment.rows = rows;
      save_segment(segment, path_);
      const auto result = Index::open(path_).search(base.view());
      for (const std::int64_t id : result.ids.values) EXPECT_TRUE(id == -1 || id % 2 == 1);
      EXPECT_THAT([&] { Index::open(path_, {.verify = true}); },
                  ThrowsMessage<std::runtime_error>(HasSubstr("row 0 is not in its primary")));
    }
  }
}

TEST_F(SpilledFile, MoreThanTwoEntriesAVectorAreRefused) {
  const auto base = clustered(50, 5, 23);
  BuildOptions build;
  build.spill = 1;
  build.nlist = 2;
  Segment segment = build_segment(MatrixSource(base.view()), build);
  std::vector<ListRecord> lists(segment.lists.begin(), segment.lists.end());
  lists[0].count += 1;
  segment.lists = lists;
  save_segment(segment, path_);
  EXPECT_THAT([&] { Index::open(path_); },
              ThrowsMessage<std::runtime_error>(HasSubstr("101 entries for 50 vectors")));
}

}  // namespace
}  // namespace obliq

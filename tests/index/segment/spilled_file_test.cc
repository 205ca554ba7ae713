// Indexes with spilled vectors as files: what survives a save, and what damage does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "index/build/builder.h"
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
    EXPECT_EQ(opened.stats().spill, built.stats().spill);
    EXPECT_EQ(opened.stats().bytes_per_vector, built.stats().bytes_per_vector);
    const auto before = built.search(queries.view());
    const auto after = opened.search(queries.view());
    EXPECT_EQ(before.ids.values, after.ids.values);
    EXPECT_EQ(before.distances.values, after.distances.values);
  }
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
    expect_damage_cannot_crash_a_search(queries.view(), 200, 21);
  }
}

TEST_F(SpilledFile, WrongNumbersBehindRightChecksumsAreSafeAndVerifyFindsThem) {
  const auto base = clustered(200, 33, 22);
  for (const char* spec : {"lm4", "sq8"}) {
    for (const bool row : {false, true}) {
      BuildOptions build;
      build.quantizer = spec;
      build.spill = 1;
      Segment segment = build_segment(MatrixSource(base.view()), build);
      const std::size_t nlist = segment.model->nlist();
      std::vector<std::uint8_t> spilled(segment.spilled.begin(), segment.spilled.end());
      for (std::size_t i = 0; i < segment.info.spilled; i += 2) {
        SpilledEntry entry = segment.spilled_entry(i);
        (row ? entry.row : entry.list) =
            row ? 0xFFFFFFFFU - static_cast<std::uint32_t>(i) : 0xFFFFU;
        write_spilled(entry, nlist, spilled.data() + i * spilled_bytes(nlist));
      }
      segment.spilled = spilled;
      save_index(segment, path_);
      SearchOptions search;
      search.nprobe = nlist;
      search.confidence = 1;
      // Primary entries find all rows.
      const auto result = Index::open(path_).search(base.view(), search);
      for (std::size_t i = 0; i < base.rows; ++i) {
        EXPECT_EQ(result.ids.row(i)[0], static_cast<std::int64_t>(i));
      }
      EXPECT_THAT([&] { Index::open(path_, {.verify = true}); },
                  ThrowsMessage<std::runtime_error>(HasSubstr("section 'spilled'")));
    }
  }
}

TEST_F(SpilledFile, RecordsThatDoNotFitTogetherAreRefused) {
  const auto base = clustered(50, 5, 23);
  BuildOptions build;
  build.spill = 1;
  build.nlist = 2;
  Segment segment = build_segment(MatrixSource(base.view()), build);
  const auto records = segment.lists.records();
  const std::vector<ListRecord> sound(records.begin(), records.end());
  const auto expect_refused = [&](const std::vector<ListRecord>& lists, const char* reason) {
    segment.lists = ListDirectory(lists);
    save_index(segment, path_);
    EXPECT_THAT([&] { Index::open(path_); }, ThrowsMessage<std::runtime_error>(HasSubstr(reason)));
  };
  auto lists = sound;
  lists[0].count += 1;
  expect_refused(lists, "list 1 has spilled entries of another list");
  lists = sound;
  lists[1].count += 1;
  expect_refused(lists, "51 spilled entries, not 50");
  lists = sound;
  lists[1].first_row -= 1;
  expect_refused(lists, "list 1 does not begin where");
  lists = sound;
  lists[1].primaries -= 1;
  expect_refused(lists, "49 rows");
  lists = sound;
  lists[0].count = lists[0].primaries - 1;
  expect_refused(lists, "list 0 holds both its own rows and foreign ones");
  lists = sound;
  lists[0].first = segment.info.entries;
  expect_refused(lists, "list 0 ends beyond");
  lists = sound;
  lists[0].scale_exponent = 128;
  expect_refused(lists, "list 0 has a unit out of range");
}

}  // namespace
}  // namespace obliq

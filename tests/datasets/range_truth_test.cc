// The truth of range searches, of big-ann's layout and in HDF5.
#include "datasets/range_truth.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "datasets/dataset.h"
#include "tests/datasets/files.h"

namespace obliq::datasets {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr std::uint32_t kHalf = 0x3F000000;  // .5
constexpr std::uint32_t kNan = 0x7FC00000;

RangeAnswers parse(const std::vector<std::uint32_t>& words) {
  std::vector<std::uint8_t> bytes(words.size() * 4);
  std::memcpy(bytes.data(), words.data(), bytes.size());
  return parse_range_truth_bin({bytes, "truth"});
}

void expect_damaged(const std::vector<std::uint32_t>& words, const std::string& reason) {
  EXPECT_THAT([&] { parse(words); }, ThrowsMessage<std::runtime_error>(HasSubstr(reason)));
}

TEST(RangeTruths, OfBigAnnAreCountsIdsAndDistances) {
  const RangeAnswers answers = parse({3, 3, 2, 0, 1, 9, 4, 9, kHalf, kHalf, 0});
  EXPECT_EQ(answers.queries(), 3);
  EXPECT_THAT(answers.lims, ElementsAre(0, 2, 2, 3));
  EXPECT_THAT(answers.ids, ElementsAre(9, 4, 9));
  EXPECT_THAT(answers.distances, ElementsAre(.5F, .5F, 0));
  EXPECT_EQ(parse({2, 0, 0, 0}).ids.size(), 0);
}

TEST(RangeTruths, AreRefusedWhereTheyDoNotAddUp) {
  expect_damaged({3}, "the file ends");
  expect_damaged({3, 3, 2, 0, 1, 9, 4, 9, kHalf, kHalf},
                 "takes 36 bytes behind its header, but 32");
  expect_damaged({3, 3, 2, 1, 1, 9, 4, 9, kHalf, kHalf, 0}, "add up to 4, not to the 3 results");
  expect_damaged({1, 2, 2, 9, 9, kHalf, kHalf}, "query 0 has id 9 twice");
  expect_damaged({1, 1, 1, 0xFFFFFFFF, kHalf}, "query 0 has the id -1, which is none");
  expect_damaged({1, 1, 1, 5, kNan}, "distance 0 is NaN");
  expect_damaged({0xFFFFFFFF, 0xFFFFFFFF, 1}, "but 4 follow");
}

TEST(RangeTruths, WrittenAsHdf5AreReadAgain) {
  const TemporaryFolder folder;
  const RangeAnswers written{{0, 2, 2, 3}, {9, 4, std::int64_t{1} << 40}, {.5F, .75F, -1}};
  write_range_answers(folder.file("a.hdf5"), written);
  const RangeAnswers read = read_range_truth(folder.file("a.hdf5"));
  EXPECT_EQ(read.lims, written.lims);
  EXPECT_EQ(read.ids, written.ids);
  EXPECT_EQ(read.distances, written.distances);
  write_range_answers(folder.file("none.hdf5"), {{0, 0}, {}, {}});
  EXPECT_EQ(read_range_truth(folder.file("none.hdf5")).queries(), 1);
}

TEST(RangeTruths, InHdf5AreRefusedWhereLimsAreNone) {
  const TemporaryFolder folder;
  const std::string file = folder.file("a.hdf5");
  for (const std::vector<std::uint64_t>& lims :
       {std::vector<std::uint64_t>{0, 2}, {1, 3}, {0, 4, 3}, {}}) {
    write_range_answers(file, {lims, {1, 2, 3}, {0, 0, 0}});
    EXPECT_THAT([&] { read_range_truth(file); },
                ThrowsMessage<std::runtime_error>(
                    HasSubstr("'lims' must rise from 0 to the number of ids, 3")));
  }
  write_range_answers(file, {{0, 3}, {1, 2, 3}, {0, 0}});
  EXPECT_THAT([&] { read_range_truth(file); },
              ThrowsMessage<std::runtime_error>(HasSubstr("2 distances for 3 ids")));
  EXPECT_THAT([&] { read_range_truth(sample_set()); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("dataset 'lims': is not in the")));
}

}  // namespace
}  // namespace obliq::datasets

#include "index/filter/timestamp.h"

#include <gtest/gtest.h>

#include <string>

namespace obliq {
namespace {

TEST(Timestamp, counts_microseconds_since_1970_in_utc) {
  EXPECT_EQ(parse_timestamp("1970-01-01"), 0);
  EXPECT_EQ(parse_timestamp("1970-01-01T00:00:01"), 1'000'000);
  EXPECT_EQ(parse_timestamp("1969-12-31T23:59:59.999999Z"), -1);
  EXPECT_EQ(parse_timestamp("2024-02-29 12:30"), 1'709'209'800'000'000);
  EXPECT_EQ(parse_timestamp("0001-01-01"), -62'135'596'800'000'000);
  EXPECT_EQ(parse_timestamp("9999-12-31T23:59:59.999999"), 253'402'300'799'999'999);
}

TEST(Timestamp, reads_fractions_and_offsets) {
  EXPECT_EQ(parse_timestamp("1970-01-01T00:00:00.5"), 500'000);
  EXPECT_EQ(parse_timestamp("1970-01-01T00:00:00.000001"), 1);
  EXPECT_EQ(parse_timestamp("1970-01-01T00:00:00.000001000"), 1);
  EXPECT_EQ(parse_timestamp("1970-01-01t00:00:00z"), 0);
  EXPECT_EQ(parse_timestamp("1970-01-01T01:00:00+01:00"), 0);
  EXPECT_EQ(parse_timestamp("1969-12-31T18:30-0530"), 0);
  EXPECT_EQ(parse_timestamp("1970-01-01 02:00+02"), 0);
}

TEST(Timestamp, refuses_what_is_no_time_or_no_day) {
  for (const std::string text : {"",
                                 "2024",
                                 "2024-01",
                                 "2024-1-1",
                                 "2024-13-01",
                                 "2024-00-01",
                                 "2024-01-32",
                                 "2023-02-29",
                                 "1900-02-29",
                                 "0000-01-01",
                                 "2024-01-01T",
                                 "2024-01-01T12",
                                 "2024-01-01T24:00",
                                 "2024-01-01T23:60",
                                 "2024-01-01T23:59:60",
                                 "2024-01-01T12:00:00.",
                                 "2024-01-01T12:00:00.1x",
                                 "2024-01-01T12:00:00.0000001",
                                 "2024-01-01T12:00:00+",
                                 "2024-01-01T12:00:00+24:00",
                                 "2024-01-01T12:00:00+1",
                                 "2024-01-01T12:00:00ZZ",
                                 "2024-01-01Z",
                                 "2024-01-01  12:00",
                                 " 2024-01-01",
                                 "2024-01-01 ",
                                 "+024-01-01",
                                 "now"}) {
    EXPECT_EQ(parse_timestamp(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace obliq

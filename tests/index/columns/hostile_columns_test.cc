// Files with right checksums whose columns do not fit together, and files that are written over
// while they are mapped: what is wrong is named where a file is verified, and reading values stays
// inside the file where it is not.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "index/segment/segment_file.h"
#include "obliq/model.h"
#include "storage/temporary_folder.h"
#include "tests/index/tiny_files.h"
#include "tests/storage/files.h"

namespace obliq {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using ::testing::ThrowsMessage;
using testing::TinyFiles;

using Change = std::function<void(Bytes&)>;

/// Puts a value at place i of an array.
template <typename T>
Change put(std::size_t i, T value) {
  return [=](Bytes& bytes) { std::memcpy(bytes.data() + i * sizeof value, &value, sizeof value); };
}
/// Flips a bit.
Change flip(std::size_t bit) {
  return [=](Bytes& bytes) { bytes[bit / 8] ^= std::byte{1} << bit % 8; };
}
Change shorten(std::size_t by) {
  return [=](Bytes& bytes) { bytes.resize(bytes.size() - by); };
}

/// Columns of a segment by name are bool c0, bytes c1, double c2, int64 c3, keyword c4,
/// keywords c5, timestamp c6.
class HostileColumns : public ::testing::Test {
 protected:
  std::string changed(const std::string& section, const Change& change) const {
    std::vector<std::pair<std::string, Bytes>> sections;
    const SectionFile file(files_.path("first"));
    bool found = false;
    for (const std::string& each : file.section_names()) {
      const auto bytes = file.section(each);
      sections.emplace_back(each, Bytes(bytes.begin(), bytes.end()));
      if (each != section) continue;
      found = true;
      change(sections.back().second);
    }
    EXPECT_TRUE(found) << section;
    write_sections(files_.path("changed"), sections);
    return files_.path("changed");
  }

  Segment open(const std::string& path, bool verify) const {
    return open_segment(path, ModelAccess::get(model_), {.verify = verify});
  }

  void expect_refused(const std::string& section, const Change& change, const std::string& reason,
                      bool verify) const {
    const std::string path = changed(section, change);
    EXPECT_THAT(
        [&] { open(path, verify); },
        ThrowsMessage<std::runtime_error>(
            AllOf(StartsWith(path + ": section '" + section + "' at offset "), HasSubstr(reason))));
    EXPECT_THROW(merge(model_, std::vector{path}, files_.path("merged")), std::runtime_error);
  }
  void expect_refused_open(const std::string& section, const Change& change,
                           const std::string& reason) const {
    expect_refused(section, change, reason, false);
  }
  /// Opens all the same, and its values are read or refused.
  void expect_refused_verified(const std::string& section, const Change& change,
                               const std::string& reason) const {
    expect_refused(section, change, reason, true);
    read_all(open(files_.path("changed"), false));
  }

  /// The number of values that are none of their types.
  static std::size_t read_all(const Segment& segment) {
    std::size_t refused = 0;
    for (const StoredColumn& column : segment.columns->columns) {
      ColumnValues values(column.spec);
      for (std::uint32_t row = 0; row < segment.info.rows; ++row) {
        try {
          add_stored(&column, row, values);
        } catch (const std::runtime_error&) {
          ++refused;
        }
      }
    }
    return refused;
  }

  /// The first row of a column that is NULL, or that is not.
  std::uint32_t row_of(const std::string& column, bool is_null) const {
    const StoredColumn* stored = sound_.columns->find(column);
    std::uint32_t row = 0;
    while (stored->is_null(row) != is_null) ++row;
    return row;
  }

  TemporaryFolder folder_;
  const TinyFiles files_ = {folder_.path(), {.columns = true}};
  const Model model_ = Model::open(files_.path("model"));
  const Segment sound_ = open(files_.path("first"), true);
};

TEST_F(HostileColumns, WithSchemasThatAreNoneAreRefused) {
  const auto refused = [&](const Change& change, const std::string& reason) {
    expect_refused_open("columns", change, reason);
  };
  refused(put<std::uint32_t>(0, 0), "0 columns");
  refused(put<std::uint32_t>(0, 1001), "1001 columns");
  refused(put<std::uint32_t>(0, 8), "it ends too early");
  refused(put<std::uint32_t>(0, 6), "bytes behind the last name");
  refused(put<std::uint8_t>(4, 7), "column 0 is of the unknown type 7");
  refused(put<std::uint8_t>(5, 0), "the name of column 0 is none");
  refused(put<std::uint8_t>(5, 255), "it ends too early");
  refused(put<char>(6, '\n'), "the name of column 0 is none");
  refused(put<char>(6, 'z'), "the name of column 1 is none, or out of order");
  refused([](Bytes& bytes) { bytes.clear(); }, "it ends too early");
  refused(shorten(1), "it ends too early");
}

TEST_F(HostileColumns, OfOtherSizesAreRefused) {
  for (const char* section : {"c0.values", "c0.valid", "c1.ends", "c2.values", "c2.ranges",
                              "c3.ranges", "c3.values", "c6.valid"}) {
    expect_refused_open(section, shorten(8), "expected");
    expect_refused_open(section, shorten(1), "no items of 8");
  }
  for (const char* section : {"c4.ends", "c5.ends"}) {
    expect_refused_open(section, shorten(8), "the last text ends at");
    expect_refused_open(section, shorten(1), "no items of 8");
  }
  expect_refused_open("c4.codes", shorten(1), "expected");
  expect_refused_open("c5.codes", shorten(1), "expected");
  expect_refused_open("c5.rows", shorten(4), "expected");
  for (const char* section : {"c1.text", "c4.text", "c5.text"}) {
    const std::string ends = std::string(section).substr(0, 3) + "ends";
    const std::string path = changed(section, shorten(1));
    EXPECT_THAT([&] { open(path, false); },
                ThrowsMessage<std::runtime_error>(
                    AllOf(HasSubstr("section '" + ends), HasSubstr("the last text ends at"))));
  }
}

TEST_F(HostileColumns, WithNullsThatHaveValuesAreRefusedWhenVerified) {
  expect_refused_verified("c0.values", flip(row_of("bool", true)), "is NULL and has a value");
  expect_refused_verified("c3.values", put<std::int64_t>(row_of("int64", true), 5),
                          "is NULL and has a value");
  expect_refused_verified("c2.values", put<double>(row_of("double", true), -0.0),
                          "is NULL and has a value");
  expect_refused_verified("c4.codes", put<std::uint8_t>(row_of("keyword", true), 1),
                          "is NULL and has a text");
}

TEST_F(HostileColumns, WithBitsBehindTheLastRowAreRefusedWhenVerified) {
  ASSERT_LT(sound_.info.rows, 64U);
  expect_refused_verified("c0.values", flip(63), "bits behind the last row");
  expect_refused_verified("c6.valid", flip(63), "bits behind the last row");
  expect_refused_verified("c3.valid", put<std::uint64_t>(0, (1ULL << sound_.info.rows) - 1),
                          "no row is NULL");
}

TEST_F(HostileColumns, WithNumbersOutOfRangeAreRefusedWhenVerified) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  expect_refused_verified("c2.values", put<double>(row_of("double", false), nan), "is NaN");
  EXPECT_EQ(read_all(open(files_.path("changed"), false)), 1U);
  expect_refused_verified("c2.ranges", put<double>(0, -1), "not those of the values");
  expect_refused_verified("c3.ranges", put<std::int64_t>(1, -1), "not those of the values");
  expect_refused_verified("c6.ranges", put<std::int64_t>(2, 7), "not those of the values");
}

TEST_F(HostileColumns, WithTextsOutOfPlaceAreRefusedWhenVerified) {
  const std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  for (const char* section : {"c1.ends", "c4.ends", "c5.ends"}) {
    expect_refused_verified(section, put<std::uint64_t>(0, most), "text 0 ends out of place");
    expect_refused_verified(section, put<std::uint64_t>(1, most - 7), "text 1 ends out of place");
  }
  expect_refused_verified(
      "c4.text", [](Bytes& bytes) { bytes.back() = std::byte{0xFF}; }, "is not UTF-8");
  expect_refused_verified(
      "c4.text", [](Bytes& bytes) { bytes[0] = std::byte{'z'}; }, "is out of order");
}

TEST_F(HostileColumns, WithCodesOutOfPlaceAreRefusedWhenVerified) {
  const std::uint32_t row = row_of("keyword", false);
  expect_refused_verified("c4.codes", put<std::uint8_t>(row, 0xFF), "names text 255 of");
  const StoredColumn* texts = sound_.columns->find("keyword");
  ASSERT_GT(texts->texts(), 2U);
  const auto all_zero = [](Bytes& bytes) { std::fill(bytes.begin(), bytes.end(), std::byte{0}); };
  expect_refused_verified("c4.codes", all_zero, "none names text 1");
  expect_refused_verified("c5.codes", all_zero, "has texts out of order");
  expect_refused_verified("c5.codes", put<std::uint8_t>(0, 0xFF), "row ");
  const std::uint32_t most = std::numeric_limits<std::uint32_t>::max();
  expect_refused_verified("c5.rows", put<std::uint32_t>(3, most), "row 3 ends out of place");
  const StoredColumn* sets = sound_.columns->find("keywords");
  const std::uint32_t none = row_of("keywords", true);
  ASSERT_LT(none + 1, sound_.info.rows);
  std::uint32_t next = none;
  while (sets->end_code(next) == sets->end_code(none)) ++next;
  expect_refused_verified(
      "c5.rows",
      [&](Bytes& bytes) {
        for (std::uint32_t i = none; i < next; ++i) {
          put<std::uint32_t>(i, sets->end_code(none) + 1)(bytes);
        }
      },
      "is NULL and has texts");
}

// In a process of its own, whose end tells whether reading stayed inside.
TEST_F(HostileColumns, ThatAreWrittenOverWhileTheyAreMappedAreReadInside) {
  const std::string path = files_.path("first");
  const SectionFile layout(path);
  for (const std::string& name : layout.section_names()) {
    if (name[0] != 'c') continue;
    const std::size_t size = layout.section(name).size();
    for (const char byte : {'\xFF', '\0', '\x55'}) {
      const Bytes sound = read_bytes(path);
      const Segment segment = open(path, false);
      const int out = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
      const std::string over(size, byte);
      EXPECT_EQ(::pwrite(out, over.data(), size, static_cast<off_t>(layout.offset(name))),
                static_cast<ssize_t>(size));
      const auto read = [&] {
        read_all(segment);
        ::_exit(0);
      };
      EXPECT_EXIT(read(), ::testing::ExitedWithCode(0), "") << name;
      EXPECT_EQ(::pwrite(out, sound.data(), sound.size(), 0), static_cast<ssize_t>(sound.size()));
      ::close(out);
    }
  }
}

}  // namespace
}  // namespace obliq

// Values of columns in a record of a log: read as they were written, each in one way alone.
#include "collection/column_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/collection/columns.h"

namespace obliq {
namespace {

using ::testing::HasSubstr;
using testing::test_schema;
using testing::values_for;

Columns read(const std::string& bytes, std::size_t rows,
             const ColumnSchema& schema = test_schema()) {
  return read_column_values(std::as_bytes(std::span(bytes)), rows, schema);
}

std::string refusal(const std::string& bytes, std::size_t rows,
                    const ColumnSchema& schema = test_schema()) {
  try {
    (void)read(bytes, rows, schema);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "it was read";
}

// The bytes of one column.
std::string one(const ColumnSpec& spec, const std::string& values, bool has_nulls = false) {
  const std::uint64_t size = values.size();
  std::string bytes = {1, 0, 0, 0};
  bytes += static_cast<char>(spec.type);
  bytes += static_cast<char>(spec.name.size());
  bytes += has_nulls ? '\1' : '\0';
  bytes += std::string(5, '\0');
  bytes.append(reinterpret_cast<const char*>(&size), sizeof size);
  return bytes + spec.name + values;
}

template <typename T>
std::string number(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

TEST(ColumnRecord, IsReadAsItWasWritten) {
  for (const std::size_t n : {0, 1, 8, 61}) {
    const Columns columns = values_for(test_schema(), n, n + 1);
    const Columns again = read(write_column_values(columns), n);
    std::vector<std::uint32_t> rows;
    for (std::uint32_t i = 0; i < n; ++i) rows.push_back(i);
    testing::expect_values(again, columns, rows);
  }
}

// So nothing that a flipped bit makes is taken for the same, and no bit is without a meaning.
TEST(ColumnRecord, HasOneFormForTheSameValues) {
  const std::string sound = write_column_values(values_for(test_schema(), 13, 1));
  std::size_t taken = 0;
  for (std::size_t bit = 0; bit < 8 * sound.size(); ++bit) {
    std::string bytes = sound;
    bytes[bit / 8] = static_cast<char>(static_cast<unsigned char>(bytes[bit / 8]) ^ 1U << bit % 8);
    std::optional<Columns> columns;
    try {
      columns = read(bytes, 13);
    } catch (const std::runtime_error&) {
      continue;
    }
    ++taken;
    ASSERT_EQ(write_column_values(*columns), bytes) << "bit " << bit;
  }
  EXPECT_GT(taken, 100U);  // numbers
}

TEST(ColumnRecord, IsRefusedWhereItIsCut) {
  const std::string sound = write_column_values(values_for(test_schema(), 13, 1));
  for (std::size_t size = 0; size < sound.size(); ++size) {
    EXPECT_NE(refusal(sound.substr(0, size), 13), "it was read") << size;
  }
  EXPECT_THAT(refusal(sound + "x", 13), HasSubstr("behind its columns"));
  EXPECT_NE(refusal(sound, 12), "it was read");
  EXPECT_NE(refusal(sound, 14), "it was read");
  EXPECT_NE(refusal(sound, std::size_t{1} << 61), "it was read");  // and nothing allocated
}

TEST(ColumnRecord, IsRefusedWhereTheSchemaIsAnother) {
  const std::string sound = write_column_values(values_for(test_schema(), 3, 1));
  ColumnSchema schema = test_schema();
  schema[2].type = ColumnType::bytes;
  EXPECT_THAT(refusal(sound, 3, schema), HasSubstr("no column 'price' of type 1"));
  schema.erase(schema.begin() + 2);
  EXPECT_THAT(refusal(sound, 3, schema), HasSubstr("it has 7 columns"));
  schema.push_back({"more", ColumnType::int64});
  EXPECT_THAT(refusal(sound, 3, schema), HasSubstr("no column"));
  EXPECT_THAT(refusal(std::string(4, '\0'), 3), HasSubstr("it has 0 columns"));
  const ColumnValues year = values_for({test_schema()[0]}, 3, 1).front();
  EXPECT_THAT(refusal(write_column_values(std::vector{year, year}), 3),
              HasSubstr("'year' comes twice"));
}

TEST(ColumnRecord, IsRefusedWhereAValueIsNoneOfItsType) {
  const ColumnSpec year = test_schema()[0];
  const ColumnSpec lang = test_schema()[1];
  const ColumnSpec price = test_schema()[2];
  const ColumnSpec open = test_schema()[3];
  const ColumnSpec tags = test_schema()[5];
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(refusal(one(year, number<std::int64_t>(5)), 1), "it was read");
  EXPECT_THAT(refusal(one(price, number(nan)), 1), HasSubstr("'price', row 0: NaN"));
  EXPECT_THAT(refusal(one(lang, number<std::uint32_t>(1) + "\xFF"), 1), HasSubstr("UTF-8"));
  EXPECT_THAT(refusal(one(lang, number<std::uint32_t>(70000) + std::string(70000, 'a')), 1),
              HasSubstr("70000 bytes"));
  EXPECT_THAT(refusal(one(year, "\2" + number<std::int64_t>(5) + number<std::int64_t>(6), true), 2),
              HasSubstr("a NULL has a value"));
  EXPECT_THAT(refusal(one(price, std::string(1, '\0') + number(-0.0), true), 1),
              HasSubstr("a NULL has a value"));
  EXPECT_THAT(refusal(one(lang, std::string(1, '\0') + number<std::uint32_t>(1) + "a", true), 1),
              HasSubstr("a NULL has a value"));
  EXPECT_THAT(refusal(one(year, "\1" + number<std::int64_t>(5), true), 1),
              HasSubstr("says that it has some"));
  EXPECT_THAT(refusal(one(open, "\4"), 2), HasSubstr("behind the last value"));
  const std::string two = number<std::uint32_t>(2) + number<std::uint32_t>(1);
  EXPECT_EQ(refusal(one(tags, two + number<std::uint32_t>(1) + "ab"), 1), "it was read");
  EXPECT_THAT(refusal(one(tags, two + number<std::uint32_t>(1) + "ba"), 1), HasSubstr("not rise"));
  EXPECT_THAT(refusal(one(tags, two + number<std::uint32_t>(1) + "aa"), 1), HasSubstr("not rise"));
  EXPECT_THAT(refusal(one(tags, number<std::uint32_t>(70000)), 1), HasSubstr("too early"));
  EXPECT_THAT(refusal(one(year, number<std::int64_t>(5) + "x"), 1), HasSubstr("behind its values"));
}

}  // namespace
}  // namespace obliq

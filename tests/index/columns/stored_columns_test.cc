// Columns given with vectors: stored beside them, in memory and in files.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "index/index_access.h"
#include "obliq/model.h"
#include "storage/section_file.h"
#include "tests/index/cases.h"
#include "tests/index/columns/column_cases.h"
#include "tests/index/file_case.h"

namespace obliq {
namespace {

using testing::all_columns;
using testing::clustered;
using testing::expect_columns;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr std::size_t kRows = 700;

class StoredColumns : public testing::IndexFileCase {
 protected:
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  const Matrix<float> base_ = clustered(kRows, 12, 71);
  const Columns columns_ = all_columns(kRows, 72);
  Random random_{73};
};

const Segment& only_segment(const Index& index) {
  return IndexAccess::segments(index).segments().front();
}

TEST_F(StoredColumns, EachRowHasTheValuesOfItsVector) {
  BuildOptions options;
  options.columns = columns_;
  const Index index = Index::build(base_.view(), options);
  expect_columns(only_segment(index), columns_);
  index.save(path("index"));
  for (const Residence residence : {Residence::mapped, Residence::memory}) {
    for (const bool verify : {false, true}) {
      const Index opened = Index::open(path("index"), {residence, verify});
      expect_columns(only_segment(opened), columns_);
    }
  }
}

TEST_F(StoredColumns, AreNamedInStats) {
  BuildOptions options;
  EXPECT_TRUE(Index::build(base_.view(), options).stats().columns.empty());
  EXPECT_EQ(Index::build(base_.view(), options).stats().column_bytes, 0U);
  ColumnValues years({"year", ColumnType::int64});
  ColumnValues langs({"lang", ColumnType::keyword});
  for (std::size_t i = 0; i < kRows; ++i) {
    years.add(2000);
    langs.add(i % 2 == 0 ? "en" : "de");
  }
  const Columns columns = {years, langs};
  options.columns = columns;
  options.nlist = 10;
  const IndexStats stats = Index::build(base_.view(), options).stats();
  const ColumnSchema expected = {{"lang", ColumnType::keyword}, {"year", ColumnType::int64}};
  EXPECT_EQ(stats.columns, expected);
  // A code a row, two texts and their ends; eight bytes a row, two bounds a list.
  EXPECT_EQ(stats.column_bytes, kRows + 4 + 16 + 8 * kRows + 16 * 10);
}

TEST_F(StoredColumns, WithoutThemTheFileHasNone) {
  Index::build(base_.view(), {}).save(path("index"));
  for (const std::string& name : SectionFile(path("index")).section_names()) {
    EXPECT_EQ(name.find("columns"), std::string::npos);
    EXPECT_FALSE(name.starts_with("c0."));
  }
}

TEST_F(StoredColumns, OfNoVectorsAreThere) {
  const Model model = Model::train(base_.view(), {});
  const Columns columns = all_columns(0, 1);
  EncodeOptions options;
  options.columns = columns;
  model.encode(base_.view().slice(0, 0), path("empty"), options);
  const std::vector<std::string> files = {path("empty")};
  const Index index = Index::open(model, files, {.verify = true});
  EXPECT_EQ(index.stats().columns.size(), columns.size());
  expect_columns(only_segment(index), columns);
}

TEST_F(StoredColumns, OfAnotherNumberThanTheVectorsAreRefused) {
  const Columns columns = all_columns(kRows - 1, 1);
  BuildOptions options;
  options.columns = columns;
  const auto refused = [](auto call) {
    EXPECT_THAT(call, ThrowsMessage<std::invalid_argument>(
                          HasSubstr("column 'z keywords' has 699 values for 700 vectors")));
  };
  refused([&] { Index::build(base_.view(), options); });
  refused([&] { Index::build_file(MatrixSource(base_.view()), path("index"), options); });
  EncodeOptions encode;
  encode.columns = columns;
  refused([&] { Model::train(base_.view(), {}).encode(base_.view(), path("part"), encode); });
}

TEST_F(StoredColumns, WithNamesThatAreNoneAreRefused) {
  const auto refused = [&](const std::vector<std::string>& names, const std::string& words) {
    Columns columns;
    for (const std::string& name : names) {
      columns.push_back(testing::random_column(random_, {name, ColumnType::int64}, kRows, false));
    }
    BuildOptions options;
    options.columns = columns;
    EXPECT_THAT([&] { Index::build(base_.view(), options); },
                ThrowsMessage<std::invalid_argument>(HasSubstr(words)));
  };
  const std::string no_name = "1 to 255 bytes of UTF-8 without control characters";
  refused({""}, no_name);
  refused({std::string(256, 'a')}, no_name);
  for (const char* name : {"a\nb", "a\x7F", "a\xC2\x85", "a\xFF"}) refused({name}, no_name);
  refused({std::string("a\0b", 3)}, no_name);
  refused({"a", "b", "a"}, "two columns are called 'a'");
  refused(std::vector<std::string>(1001, "a"), "1001 columns, the most are 1000");
}

TEST_F(StoredColumns, OfTheMostAndTheLongestNamesAreTaken) {
  Columns columns;
  for (int i = 0; i < 1000; ++i) {
    columns.push_back(testing::random_column(
        random_, {fmt::format("{:0>255}", i), static_cast<ColumnType>(i % 7)}, 20, i % 2 == 0));
  }
  BuildOptions options;
  options.columns = columns;
  Index::build(base_.view().slice(0, 20), options).save(path("index"));
  const Index opened = Index::open(path("index"), {.verify = true});
  expect_columns(only_segment(opened), columns);
}

}  // namespace
}  // namespace obliq

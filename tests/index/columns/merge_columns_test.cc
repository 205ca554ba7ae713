// Columns of merged segments: those of one build, byte for byte, whatever the cut.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "index/build/merge.h"
#include "index/index_access.h"
#include "obliq/model.h"
#include "tests/index/cases.h"
#include "tests/index/columns/column_cases.h"
#include "tests/index/encoded.h"
#include "tests/index/file_case.h"
#include "tests/storage/files.h"

namespace obliq {
namespace {

using testing::all_columns;
using ::testing::AllOf;
using testing::clustered;
using testing::expect_columns;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr std::size_t kRows = 1300;

Columns slices(const Columns& columns, std::size_t first, std::size_t count) {
  Columns parts;
  for (const ColumnValues& column : columns) parts.push_back(column.slice(first, count));
  return parts;
}

/// The sections of columns in a file.
std::map<std::string, Bytes> column_sections(const std::string& path) {
  const SectionFile file(path);
  std::map<std::string, Bytes> found;
  for (const std::string& name : file.section_names()) {
    if (name != "columns" && !(name[0] == 'c' && name.find('.') != std::string::npos)) continue;
    const auto bytes = file.section(name);
    found[name] = Bytes(bytes.begin(), bytes.end());
  }
  return found;
}

class MergeColumns : public testing::IndexFileCase {
 protected:
  MergeColumns() {
    build_.nlist = 40;
    build_.spill = .5;
    build_.kmeans_iterations = 3;
    build_.columns = columns_;
  }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  /// Encodes the base in parts that end at random places, and there be none or few in one.
  std::vector<std::string> encode_parts(const Model& model, Random& random) const {
    std::vector<std::size_t> ends = {0, kRows};
    for (std::size_t cuts = random.below(7); cuts > 0; --cuts) {
      ends.push_back(random.below(kRows + 1));
    }
    std::sort(ends.begin(), ends.end());
    std::vector<std::string> files;
    for (std::size_t i = 1; i < ends.size(); ++i) {
      const std::size_t count = ends[i] - ends[i - 1];
      const Columns part = slices(columns_, ends[i - 1], count);
      EncodeOptions options;
      options.first = ends[i - 1];
      options.columns = part;
      files.push_back(path(fmt::format("part{}", i)));
      model.encode(base_.view().slice(ends[i - 1], count), files.back(), options);
    }
    return files;
  }

  const Matrix<float> base_ = clustered(kRows, 16, 81, 30);
  const Columns columns_ = all_columns(kRows, 82);
  BuildOptions build_;
};

TEST_F(MergeColumns, OfRandomPartsIsTheFileOfOneBuild) {
  Index::build_file(MatrixSource(base_.view()), path("whole"), build_);
  const Bytes whole = read_bytes(path("whole"));
  const Model model = Model::train(base_.view(), build_);
  Random random(83);
  for (int trial = 0; trial < 20; ++trial) {
    std::vector<std::string> files = encode_parts(model, random);
    std::rotate(files.begin(), files.begin() + random.below(files.size()), files.end());
    if (trial % 2 == 1) {  // in two steps
      MergeOptions as_segment;
      as_segment.as_segment = true;
      const std::vector<std::string> first(files.begin(), files.begin() + (files.size() + 1) / 2);
      files.erase(files.begin(), files.begin() + (files.size() + 1) / 2);
      merge(model, first, path("step"), as_segment);
      files.push_back(path("step"));
    }
    merge(model, files, path("merged"));
    ASSERT_TRUE(read_bytes(path("merged")) == whole) << "trial " << trial;
  }
  expect_columns(IndexAccess::segments(Index::open(path("merged"))).segments().front(), columns_);
}

TEST_F(MergeColumns, OfABuildInLittleMemoryIsTheFileOfOneInMuch) {
  const Matrix<float> base = clustered(9000, 8, 86, 30);
  const Columns columns = all_columns(base.rows, 87);
  build_.columns = columns;
  build_.tune = false;
  build_.threads = 1;
  Index::build_file(MatrixSource(base.view()), path("whole"), build_);
  build_.max_memory = 1;
  std::string message;
  try {
    Index::build_file(MatrixSource(base.view()), path("runs"), build_);
  } catch (const std::invalid_argument& error) {
    message = error.what();
  }
  const std::string words = "allow ";
  ASSERT_NE(message.find(words), std::string::npos) << message;
  build_.max_memory = std::stoull(message.substr(message.find(words) + words.size()));
  bool has_merged = false;
  build_.progress = [&](std::string_view stage, double) {
    has_merged |= stage == "merge";
    return true;
  };
  Index::build_file(MatrixSource(base.view()), path("runs"), build_);
  EXPECT_TRUE(has_merged) << "one run took all";
  EXPECT_TRUE(read_bytes(path("runs")) == read_bytes(path("whole")));
}

TEST_F(MergeColumns, WithoutDeletedVectorsHasTheTextsOfTheOthersAlone) {
  const Model model = Model::train(base_.view(), build_);
  Random random(84);
  for (int trial = 0; trial < 6; ++trial) {
    std::vector<std::int64_t> deleted;
    std::vector<std::uint32_t> kept;
    const std::size_t share = 2 + random.below(40);  // of the last trial one in share is kept
    for (std::uint32_t i = 0; i < kRows; ++i) {
      const bool drop = (random.below(share) == 0) == (trial % 2 == 0);
      if (drop) {
        deleted.push_back(i);
      } else {
        kept.push_back(i);
      }
    }
    MergeOptions options;
    options.deleted = deleted;
    options.as_segment = true;
    merge(model, encode_parts(model, random), path("merged"), options);
    Matrix<float> vectors(kept.size(), base_.cols);
    Matrix<std::int64_t> ids(kept.size(), 1);
    for (std::size_t i = 0; i < kept.size(); ++i) {
      std::copy_n(base_.row(kept[i]), base_.cols, vectors.row(i));
      ids.values[i] = kept[i];
    }
    Columns columns;
    for (const ColumnValues& column : columns_) columns.push_back(column.take(kept));
    EncodeOptions encode;
    encode.ids = ids.view();
    encode.columns = columns;
    model.encode(vectors.view(), path("kept"), encode);
    ASSERT_TRUE(column_sections(path("merged")) == column_sections(path("kept"))) << trial;
  }
}

TEST_F(MergeColumns, OfRangesOfListsIsTheSame) {
  const Model model = Model::train(base_.view(), build_);
  Random random(85);
  const std::vector<std::string> files = encode_parts(model, random);
  merge(model, files, path("at once"));
  const auto nlist = static_cast<std::uint32_t>(build_.nlist);
  for (int trial = 0; trial < 8; ++trial) {
    const auto a = static_cast<std::uint32_t>(1 + random.below(nlist - 2));
    const auto b = static_cast<std::uint32_t>(a + 1 + random.below(nlist - a - 1));
    std::vector<std::string> ranges;
    for (const ListRange range : {ListRange{b, nlist}, {0, a}, {a, b}}) {
      if (range.first == range.end) continue;
      MergeOptions options;
      options.lists = range;
      ranges.push_back(path(fmt::format("range{}", ranges.size())));
      merge(model, files, ranges.back(), options);
    }
    // Foreign rows carry their values, too.
    const Index index = Index::open(model, ranges, {.verify = true});
    for (const Segment& segment : IndexAccess::segments(index).segments()) {
      expect_columns(segment, columns_);
    }
    merge(model, ranges, path("joined"));
    ASSERT_TRUE(read_bytes(path("joined")) == read_bytes(path("at once"))) << a << ", " << b;
  }
}

TEST_F(MergeColumns, InMemoryIsTheSame) {
  BuildOptions build = build_;
  build.columns = {};
  const auto model = testing::trained(base_, build);
  std::vector<MergeSource> sources;
  for (const std::size_t first : {std::size_t{0}, std::size_t{600}}) {
    const std::size_t count = first == 0 ? 600 : kRows - 600;
    const MatrixSource part(base_.view().slice(first, count));
    EncodeInput input{.vectors = part, .first = first, .columns = columns_, .chunk_rows = 1024};
    input.first_value = first;
    sources.push_back({encode_segment(model, input), "part"});
  }
  expect_columns(merge_in_memory(model, sources), columns_);
}

TEST_F(MergeColumns, GivesNullWhereASegmentHasNoSuchColumn) {
  const Model model = Model::train(base_.view(), build_);
  const Columns few = {columns_[0].slice(0, 500), columns_[3].slice(0, 500)};
  EncodeOptions options;
  options.columns = few;
  model.encode(base_.view().slice(0, 500), path("few"), options);
  options.first = 500;
  const Columns more = slices(columns_, 500, 600);
  options.columns = more;
  model.encode(base_.view().slice(500, 600), path("more"), options);
  options.first = 1100;
  options.columns = {};
  model.encode(base_.view().slice(1100, 200), path("none"), options);
  const std::vector<std::string> files = {path("none"), path("few"), path("more")};
  merge(model, files, path("merged"));
  Columns expected;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    ColumnValues column(columns_[c].spec());
    for (std::size_t i = 0; i < kRows; ++i) {
      const bool is_there = (i < 500 && (c == 0 || c == 3)) || (i >= 500 && i < 1100);
      if (is_there) {
        column.add_from(columns_[c], i);
      } else {
        column.add_null();
      }
    }
    expected.push_back(std::move(column));
  }
  const Index index = Index::open(path("merged"), {.verify = true});
  expect_columns(IndexAccess::segments(index).segments().front(), expected);
  const Index parts = Index::open(model, files);
  EXPECT_EQ(parts.stats().columns, index.stats().columns);
  EXPECT_EQ(parts.stats().columns.size(), columns_.size());
}

TEST_F(MergeColumns, RefusesAColumnOfTwoTypesAndNamesBothSegments) {
  const Model model = Model::train(base_.view(), build_);
  ColumnValues numbers({"year", ColumnType::int64});
  ColumnValues texts({"year", ColumnType::keyword});
  for (int i = 0; i < 10; ++i) {
    numbers.add(i);
    texts.add("MMXX");
  }
  EncodeOptions options;
  options.columns = {&numbers, 1};
  model.encode(base_.view().slice(0, 10), path("first"), options);
  options.first = 10;
  options.columns = {&texts, 1};
  model.encode(base_.view().slice(10, 10), path("second"), options);
  const std::vector<std::string> both = {path("first"), path("second")};
  const auto refused = [&](auto call) {
    EXPECT_THAT(call, ThrowsMessage<std::invalid_argument>(
                          AllOf(HasSubstr("'year' is of type int64 in " + path("first")),
                                HasSubstr("of type keyword in " + path("second")))));
  };
  refused([&] { merge(model, both, path("merged")); });
  refused([&] { Index::open(model, both); });
}

}  // namespace
}  // namespace obliq

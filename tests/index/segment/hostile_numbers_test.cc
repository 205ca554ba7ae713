// Files with right checksums whose numbers do not fit together: made by an enemy, or by a writer
// that is wrong. Opening, verifying or merging names what is wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
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

class HostileNumbers : public ::testing::Test {
 protected:
  /// Writes a copy of a file whose section is changed. Returns its path.
  std::string changed(const std::string& name, const std::string& section,
                      const std::function<void(Bytes&)>& change) const {
    std::vector<std::pair<std::string, Bytes>> sections;
    const SectionFile file(files_.path(name));
    for (const std::string& each : file.section_names()) {
      const auto bytes = file.section(each);
      sections.emplace_back(each, Bytes(bytes.begin(), bytes.end()));
      if (each == section) change(sections.back().second);
    }
    write_sections(files_.path("changed"), sections);
    return files_.path("changed");
  }

  void expect_refused(const std::string& path, const std::string& section,
                      const std::string& reason) const {
    const auto refused = ThrowsMessage<std::runtime_error>(
        AllOf(StartsWith(path + ": section '" + section + "' at offset "), HasSubstr(reason)));
    EXPECT_THAT([&] { Index::open(model(), std::vector{path}, {.verify = true}); }, refused);
    EXPECT_THAT([&] { merge(model(), std::vector{path}, files_.path("merged")); }, refused);
  }

  Model model() const { return Model::open(files_.path("model")); }

  TemporaryFolder folder_;
  const TinyFiles files_ = {folder_.path(), {.quantizer = "lm2:query"}};
};

// Of an array of numbers: the first two change places.
template <typename T>
void swap_first(Bytes& bytes) {
  std::swap_ranges(bytes.begin(), bytes.begin() + sizeof(T), bytes.begin() + sizeof(T));
}

TEST_F(HostileNumbers, OfPositionsThatDoNotRiseInTheirListAreRefused) {
  expect_refused(changed("first", "positions", swap_first<std::uint32_t>), "positions",
                 "row 1 is out of order");
}

TEST_F(HostileNumbers, OfTwoSpilledEntriesOfOneRowAreRefused) {
  const auto repeat = [](Bytes& bytes) {
    std::copy_n(bytes.begin(), spilled_bytes(8), bytes.begin() + spilled_bytes(8));
  };
  expect_refused(changed("first", "spilled", repeat), "spilled", "as one before does");
}

TEST_F(HostileNumbers, OfSpilledEntriesThatDoNotRiseInTheirListAreRefused) {
  const auto swap = [](Bytes& bytes) {
    std::swap_ranges(bytes.begin(), bytes.begin() + spilled_bytes(8),
                     bytes.begin() + spilled_bytes(8));
  };
  expect_refused(changed("range", "spilled", swap), "spilled", "which is out of order");
}

// The model of an index has no learn queries, and cannot tell of how many a truth is.
TEST_F(HostileNumbers, OfTruthsOfDifferentLearnQueriesAreRefused) {
  const auto twice = [](Bytes& bytes) { bytes.insert(bytes.end(), bytes.begin(), bytes.end()); };
  const std::string once = changed("first", "truth", twice);
  std::filesystem::copy_file(once, files_.path("first"),
                             std::filesystem::copy_options::overwrite_existing);
  const std::string path = changed("first", "truth.ids", twice);
  const Model index = Model::open(files_.path("index"));
  EXPECT_THAT(
      [&] {
        merge(index, std::vector{path, files_.path("second")}, files_.path("merged"),
              {.as_segment = true});
      },
      ThrowsMessage<std::runtime_error>(HasSubstr("neighbours of 1 learn queries, of 2 in")));
}

/// Sets number `i` of an array of floats.
std::function<void(Bytes&)> with(std::size_t i, float value) {
  return [=](Bytes& bytes) {
    ASSERT_LT(i, bytes.size() / sizeof value);
    std::memcpy(bytes.data() + i * sizeof value, &value, sizeof value);
  };
}

class HostileModel : public HostileNumbers {
 protected:
  /// Whether opening the model with a float of a section changed is refused, naming the section.
  bool is_refused(const std::string& section, std::size_t i, float value) const {
    const std::string path = changed("model", section, with(i, value));
    try {
      Model::open(path);
    } catch (const std::runtime_error& error) {
      return std::string_view(error.what()).starts_with(path + ": section '" + section + "' at ");
    }
    return false;
  }
};

// What overflows behind the transform would be turned into integers. Numbers that are large, but
// not too large, are taken.
TEST_F(HostileModel, OfPointsBeyondTheFloatsIsRefused) {
  constexpr std::size_t kTypicalNorm = offsetof(ModelInfo, typical_norm) / sizeof(float);
  constexpr std::size_t kScaleOfFirst = offsetof(ListPoint, centroid_scale) / sizeof(float);
  for (const float wrong : {NAN, INFINITY, -INFINITY, 1e20F}) {
    EXPECT_TRUE(is_refused("mean", 3, wrong)) << wrong;
    EXPECT_TRUE(is_refused("far.points", 3, wrong)) << wrong;
    EXPECT_TRUE(is_refused("learn", 3, wrong)) << wrong;
    EXPECT_TRUE(is_refused("points", kScaleOfFirst, wrong)) << wrong;
    EXPECT_TRUE(is_refused("model", kTypicalNorm, wrong)) << wrong;
  }
  for (const char* section : {"mean", "far.points", "learn"}) {
    EXPECT_FALSE(is_refused(section, 3, 1e18F)) << section;
  }
  EXPECT_TRUE(is_refused("points", kScaleOfFirst, 0));
  EXPECT_FALSE(is_refused("points", kScaleOfFirst, 1e16F));
  EXPECT_TRUE(is_refused("model", kTypicalNorm, 0));
  EXPECT_FALSE(is_refused("model", kTypicalNorm, 1e18F));
}

// matrix [5][5], feedback [5][5], pivots [5]
TEST_F(HostileModel, OfAMetricThatIsNoneIsRefused) {
  EXPECT_FALSE(is_refused("encoder", 6, .5F));
  for (const float wrong : {0.0F, -1.0F, 11.0F, NAN, INFINITY}) {
    EXPECT_TRUE(is_refused("encoder", 6, wrong)) << "diagonal " << wrong;
  }
  EXPECT_TRUE(is_refused("encoder", 1, 3)) << "not symmetric";
  EXPECT_FALSE(is_refused("encoder", 25 + 1, 400));
  EXPECT_TRUE(is_refused("encoder", 25 + 1, 600)) << "feedback";
  EXPECT_TRUE(is_refused("encoder", 50, 0)) << "pivot";
}

TEST(ModelOfNoVectors, RoutesToNoListAndEncodesNothing) {
  const TemporaryFolder folder;
  const Model model = Model::train(Matrix<float>(0, 3).view());
  const Matrix<float> one(1, 3);
  EXPECT_EQ(model.route(one.view(), 5).cols, 0U);
  model.encode(Matrix<float>(0, 3).view(), folder / "none");
  EXPECT_THAT([&] { model.encode(one.view(), folder / "one"); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("it was trained on no vectors")));
}

}  // namespace
}  // namespace obliq

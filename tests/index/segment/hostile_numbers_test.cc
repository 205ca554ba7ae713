// Files with right checksums whose numbers do not fit together: made by an enemy, or by a writer
// that is wrong. Opening, verifying or merging names what is wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <span>
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
  const TinyFiles files_ = {folder_.path(), {.quantizer = "lm2"}};
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

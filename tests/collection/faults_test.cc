// Each system call of a writer fails once: the call that made it throws or not, what was
// acknowledged before is there, and the collection opens.
#include <gtest/gtest.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "core/random.h"
#include "obliq/collection.h"
#include "tests/collection/memory_folder.h"
#include "tests/collection/vectors.h"
#include "tests/storage/failing_calls.h"
#include "tests/storage/files.h"

namespace obliq {
namespace {

constexpr std::size_t kDim = 4;
const ColumnSpec kMark = {"mark", ColumnType::int64};

class FaultsTest : public ::testing::Test {
 protected:
  // What a writer does, step by step; how many it has done.
  struct Progress {
    int begun = 0;
    int done = 0;
  };
  static constexpr std::size_t kCounts[] = {20, 30, 27, 27, 127, 127, 127, 128, 128, 128};
  static constexpr int kUpdate = 9;  // the last step

  void SetUp() override {
    Collection collection = Collection::create(original(), options());
    add(collection, 0, 20);
    collection.close();
    begin_anew();
  }
  void begin_anew() const {
    std::filesystem::remove_all(path());
    std::filesystem::copy(original(), path());
  }
  static CollectionOptions options() { return testing::small_options(kDim); }
  static void add(Collection& collection, std::int64_t first, std::size_t n) {
    Random random(7);
    Matrix<float> vectors(n, kDim);
    for (float& x : vectors.values) x = static_cast<float>(random.gaussian());
    Matrix<std::int64_t> ids(n, 1);
    std::iota(ids.values.begin(), ids.values.end(), first);
    collection.add(vectors.view(), ids.view());
  }
  void work(Progress& progress) const {
    std::optional<Collection> collection;
    const auto step = [&](int number, auto change) {
      progress.begun = number;
      change();
      progress.done = number;
    };
    collection.emplace(Collection::open(path(), {.threads = 1}));
    step(1, [&] { add(*collection, 100, 10); });
    const std::int64_t gone[] = {3, 4, 105};
    step(2, [&] { collection->remove(gone); });
    step(3, [&] { collection->compact(); });
    step(4, [&] { add(*collection, 200, 100); });
    step(5, [&] { collection->compact(); });
    step(6, [&] { collection->sync(); });
    step(7, [&] { add(*collection, 300, 1); });
    step(8, [&] { collection->add_column(kMark); });
    ColumnValues marks(kMark);
    for (const std::int64_t mark : {5, 6}) marks.add(mark);
    const std::int64_t some[] = {1, 300};
    step(kUpdate, [&] { collection->update(some, std::vector{marks}); });
    collection->close();
  }
  void check(const Progress& progress, const std::string& message) const {
    const Collection collection = Collection::open(path(), {.threads = 1});
    const std::size_t n = collection.count();
    EXPECT_TRUE(n == kCounts[progress.done] || n == kCounts[progress.begun])
        << n << " vectors after step " << progress.done << " and '" << message << "'";
    EXPECT_EQ(collection.contains(3), n < 27 || n == 30) << message;
    if (progress.done >= kUpdate - 1) check_marks(collection, progress.done == kUpdate);
    EXPECT_NO_THROW(collection.verify()) << message;
  }
  // All of the update or nothing, and all where it was made.
  static void check_marks(const Collection& collection, bool is_made) {
    const Columns marks = collection.get_columns(std::vector<std::int64_t>{1, 300});
    ASSERT_EQ(marks.size(), 1U);
    EXPECT_EQ(marks[0].is_null(0), marks[0].is_null(1));
    if (marks[0].is_null(0)) {
      EXPECT_FALSE(is_made);
    } else {
      EXPECT_EQ(marks[0].integer(1), 6);
    }
  }
  void fail_each(int error) {
    Progress progress;
    const int failed = fail_each_call(
        error,
        [&] {
          progress = {};
          work(progress);
        },
        [&](const std::string& message) {
          check(progress, message);
          begin_anew();
        });
    EXPECT_GT(failed, 100);
    EXPECT_EQ(progress.done, kUpdate);
  }
  std::string original() const { return folder_.path() + "/original"; }
  std::string path() const { return folder_.path() + "/c"; }
  TemporaryFolder folder_{testing::memory_folder()};
};

TEST_F(FaultsTest, LosesNothingWhenADiskFails) { fail_each(EIO); }

TEST_F(FaultsTest, LosesNothingWhenADiskIsFull) { fail_each(ENOSPC); }

}  // namespace
}  // namespace obliq

// Whichever bit of a model, a segment or an index flips, and wherever the file is cut: whoever uses
// the file gets an error that names it. Models are checked when they are opened, segments when they
// are merged, these and indexes when they are opened with `verify`.
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <functional>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "index/model_access.h"
#include "index/segment/segment_file.h"
#include "storage/section_file.h"
#include "storage/temporary_folder.h"
#include "tests/index/tiny_files.h"

namespace obliq {
namespace {

using testing::TinyFiles;
using Use = std::function<void(const std::string&)>;

/// A file that is damaged in place.
class Victim {
 public:
  explicit Victim(const std::string& path)
      : path_(path), file_(::open(path.c_str(), O_RDWR | O_CLOEXEC)) {
    std::ifstream in(path, std::ios::binary);
    bytes_.assign(std::istreambuf_iterator<char>(in), {});
  }
  ~Victim() { ::close(file_); }
  Victim(const Victim&) = delete;
  Victim& operator=(const Victim&) = delete;

  const std::string& path() const { return path_; }
  std::size_t size() const { return bytes_.size(); }
  void flip(std::size_t at, int mask) const { put(at, static_cast<char>(bytes_[at] ^ mask)); }
  void mend(std::size_t at) const { put(at, bytes_[at]); }
  void cut(std::size_t length) const {
    ASSERT_EQ(::ftruncate(file_, static_cast<off_t>(length)), 0);
  }

 private:
  void put(std::size_t at, char byte) const {
    ASSERT_EQ(::pwrite(file_, &byte, 1, static_cast<off_t>(at)), 1);
  }

  std::string path_;
  int file_;
  std::string bytes_;
};

/// Whether a use is refused by an error of the library that begins with the path.
bool is_refused(const Victim& victim, const Use& use) {
  try {
    use(victim.path());
  } catch (const std::system_error& error) {
    ADD_FAILURE() << error.what();
  } catch (const std::runtime_error& error) {
    return std::string_view(error.what()).starts_with(victim.path() + ": ");
  }
  return false;
}

/// What is done to each byte: one bit flips, and all of them do; or one of the two in turn.
enum class Changes { both, one };

/// Changes each byte, and cuts the file to each length. CRC32C finds every change within a byte: to
/// flip each bit by itself, as tests/storage/damage_test.cc does, would take four times as long.
void expect_all_damage_is_found(const std::string& path, Changes changes, const Use& use) {
  const Victim victim(path);
  use(path);  // sound
  for (std::size_t at = 0; at < victim.size(); ++at) {
    const std::array<int, 2> masks = {1 << at % 8, 0xFF};
    const auto used = changes == Changes::both ? std::span<const int>(masks)
                                               : std::span<const int>(&masks[at / 8 % 2], 1);
    for (const int mask : used) {
      victim.flip(at, mask);
      ASSERT_TRUE(is_refused(victim, use)) << path << ", byte " << at << " ^ " << mask;
    }
    victim.mend(at);
  }
  use(path);  // sound again
  for (std::size_t length = victim.size(); length-- > 0;) {
    victim.cut(length);
    ASSERT_TRUE(is_refused(victim, use)) << path << ", cut to " << length;
  }
}

class DamagedFiles : public ::testing::Test {
 protected:
  TemporaryFolder folder_;
  const TinyFiles files_ = {folder_.path(),
                            {.quantizer = "lm2:query", .groups = 2, .ids = true, .truth = false}};
  const Model model_ = Model::open(files_.path("model"));

  std::vector<std::string> sections(const std::string& name) const {
    return SectionFile(files_.path(name)).section_names();
  }
  Segment segment(const std::string& name) const {
    return open_segment(files_.path(name), ModelAccess::get(model_), {});
  }
};

TEST_F(DamagedFiles, HoldSomethingOfEverythingBefore) {
  EXPECT_EQ(sections("model"),
            (std::vector<std::string>{"model", "mean", "encoder", "centroids", "far.lists",
                                      "far.points", "points", "router.blk", "groups", "group.codes",
                                      "near.groups", "learn", "learn.ids"}));
  EXPECT_EQ(sections("first"),
            (std::vector<std::string>{"segment", "lists", "blocks", "spilled", "rows", "ids",
                                      "ids.sorted", "truth", "truth.ids"}));
  EXPECT_GT(segment("first").info.spilled, 5U);
  EXPECT_TRUE(segment("second").lists.is_sparse());
  EXPECT_GT(segment("range").info.rows, segment("range").info.n);
}

TEST_F(DamagedFiles, OfAModelAreRefusedWhenItIsOpened) {
  expect_all_damage_is_found(files_.path("model"), Changes::both,
                             [](const std::string& path) { Model::open(path); });
}

TEST_F(DamagedFiles, OfASegmentAreRefusedWhenItIsVerified) {
  for (const char* name : {"second", "range"}) {
    expect_all_damage_is_found(files_.path(name), Changes::both, [&](const std::string& path) {
      Index::open(model_, std::vector{path}, {.verify = true});
    });
  }
}

TEST_F(DamagedFiles, OfASegmentAreRefusedWhenItIsMerged) {
  expect_all_damage_is_found(files_.path("first"), Changes::both, [&](const std::string& path) {
    merge(model_, std::vector{path}, files_.path("merged"));
  });
}

class DamagedColumns : public ::testing::Test {
 protected:
  TemporaryFolder folder_;
  const TinyFiles files_ = {folder_.path(), {.truth = false, .columns = true}};
  const Model model_ = Model::open(files_.path("model"));
};

TEST_F(DamagedColumns, AreOfAllTypesBefore) {
  const std::string first = files_.path("first");
  EXPECT_EQ(Index::open(model_, std::vector{first}).stats().columns.size(), 7U);
  const SectionFile file(first);
  std::size_t nulls = 0;
  for (std::size_t i = 0; i < 7; ++i) nulls += file.has("c" + std::to_string(i) + ".valid");
  EXPECT_EQ(nulls, 7U);
}

TEST_F(DamagedColumns, AreRefusedWhenTheSegmentIsVerified) {
  for (const char* name : {"second", "range"}) {
    expect_all_damage_is_found(files_.path(name), Changes::both, [&](const std::string& path) {
      Index::open(model_, std::vector{path}, {.verify = true});
    });
  }
}

TEST_F(DamagedColumns, AreRefusedWhenTheSegmentIsMerged) {
  expect_all_damage_is_found(files_.path("first"), Changes::one, [&](const std::string& path) {
    merge(model_, std::vector{path}, files_.path("merged"));
  });
}

// Several times as large as the others.
TEST_F(DamagedFiles, OfATunedIndexAreRefusedWhenItIsVerified) {
  const auto base = testing::clustered(1000, 1, 72, 8);
  const Model model =
      Model::train(base.view(), {.quantizer = "lm1", .nlist = 4, .spill = .01, .kmeans_points = 5});
  model.encode(base.view(), files_.path("whole"));
  const std::string path = files_.path("tuned");
  merge(model, std::vector{files_.path("whole")}, path);
  ASSERT_TRUE(SectionFile(path).has("tuning"));
  const Use verify = [](const std::string& file) { Index::open(file, {.verify = true}); };
  expect_all_damage_is_found(path, Changes::one, verify);
}

}  // namespace
}  // namespace obliq

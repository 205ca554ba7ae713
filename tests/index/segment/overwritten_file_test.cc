// A file that is written over while an index is mapped: answers may be any, but a search stays
// inside the file and returns.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/random.h"
#include "storage/section_file.h"
#include "tests/index/cases.h"
#include "tests/index/file_case.h"

namespace obliq {
namespace {

using testing::clustered;

class OverwrittenFile : public testing::IndexFileCase {
 protected:
  /// Writes over the bytes of a section, in place.
  void write_over(const std::string& section, const std::string& bytes) const {
    const SectionFile file(path_);
    const std::size_t size = std::min(file.section(section).size(), bytes.size());
    const int out = ::open(path_.c_str(), O_WRONLY);
    EXPECT_EQ(::pwrite(out, bytes.data(), size, static_cast<off_t>(file.offset(section))),
              static_cast<ssize_t>(size));
    ::close(out);
  }

  /// Searches of every kind in a process of their own, whose end tells whether they stayed inside.
  static void expect_searches_return(const Index& index, const Matrix<float>& queries,
                                     const std::string& what) {
    const auto n = static_cast<std::int64_t>(index.stats().n);
    const auto search_all = [&] {
      for (const std::size_t nprobe : {1, 7, 1000}) {
        for (const BatchOrder order : {BatchOrder::query, BatchOrder::list}) {
          SearchOptions options;
          options.k = 20;
          options.threads = 1;
          options.nprobe = nprobe;
          options.batch_order = order;
          for (const std::int64_t id : index.search(queries.view(), options).ids.values) {
            if (id < -1 || id >= n) ::_exit(2);
          }
        }
      }
      ::_exit(0);
    };
    EXPECT_EXIT(search_all(), ::testing::ExitedWithCode(0), "") << what;
  }
};

TEST_F(OverwrittenFile, CannotCrashASearch) {
  const auto base = clustered(3000, 24, 71);
  const auto queries = clustered(20, 24, 72);
  BuildOptions build;
  build.nlist = 64;
  build.list_groups = 8;
  build.spill = .5;
  build.raw = RawTier::fp16;
  build.tune = false;
  const Index built = Index::build(base.view(), build);
  built.save(path_);
  const std::string sound = read();
  std::vector<std::string> names = SectionFile(path_).section_names();
  Random random(73);
  std::string noise(sound.size(), '\0');
  for (char& byte : noise) byte = static_cast<char>(random.next());
  for (const std::string& name : names) {
    if (name == "ids" || name == "positions") continue;  // any number is an id
    for (const std::string& bytes :
         {std::string(sound.size(), '\xFF'), noise, std::string(sound.size(), '\0'), sound}) {
      write(sound);
      const Index index = Index::open(path_);
      write_over(name, bytes);
      expect_searches_return(index, queries, name);
    }
  }
}

TEST_F(OverwrittenFile, KeepsTheRecordsOfItsLists) {
  const auto base = clustered(2000, 16, 74);
  const auto queries = clustered(30, 16, 75);
  BuildOptions build;
  build.nlist = 30;
  build.tune = false;
  Index::build(base.view(), build).save(path_);
  const Index index = Index::open(path_);
  const auto before = index.search(queries.view());
  for (const std::string name : {"model", "points", "segment", "lists", "mean"}) {
    write_over(name, std::string(100000, '\x55'));
    const auto after = index.search(queries.view());
    EXPECT_EQ(before.ids.values, after.ids.values) << name;
    EXPECT_EQ(before.distances.values, after.distances.values) << name;
  }
}

}  // namespace
}  // namespace obliq

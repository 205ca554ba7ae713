// A folder for one saved index, and what every saved index must stand.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "core/random.h"
#include "obliq/index.h"

namespace obliq::testing {

class IndexFileCase : public ::testing::Test {
 protected:
  IndexFileCase()
      : folder_(std::filesystem::temp_directory_path() /
                ("obliq_index_file_" + std::to_string(getpid()))),
        path_(folder_ / "a.obliq") {
    std::filesystem::create_directories(folder_);
  }
  ~IndexFileCase() override { std::filesystem::remove_all(folder_); }

  std::string read() const {
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void write(const std::string& bytes) const {
    std::filesystem::remove(path_);  // some disks flush a file that is cut to nothing
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes;
  }

  /// Without verification blocks, rows and raw vectors are not read at opening. Whatever they hold,
  /// a search stays inside the file (ASan watches) and ids stay below `n`. Verification notices
  /// every one of these files: a CRC32C misses one damage of more than 32 bits in 2^32.
  void expect_damage_cannot_crash_a_search(MatrixView<float> queries, int trials,
                                           std::uint64_t seed) const {
    const std::string sound = read();
    Random random(seed);
    int searched = 0;
    int noticed = 0;
    for (int trial = 0; trial < trials; ++trial) {
      std::string damaged = sound;
      for (int i = 0; i < 20; ++i) {
        damaged[random.below(damaged.size())] = static_cast<char>(random.next());
      }
      ASSERT_NE(damaged, sound);
      write(damaged);
      searched += searches(queries) ? 1 : 0;
      noticed += opens_verified() ? 0 : 1;
    }
    EXPECT_EQ(noticed, trials);
    // Opening refuses what hits header, table or small sections; the rest must be left to search.
    EXPECT_GT(searched, trials / 20);
  }

  /// Whether the file opens without verification and a search of it ends.
  bool searches(MatrixView<float> queries) const {
    try {
      const Index index = Index::open(path_);
      SearchOptions search;
      search.nprobe = 100;
      // Any number may be the position of a vector.
      for (const std::int64_t id : index.search(queries, search).ids.values) EXPECT_GE(id, -1);
      return true;
    } catch (const std::runtime_error&) {
      return false;
    }
  }

  bool opens_verified() const {
    try {
      Index::open(path_, {.verify = true});
      return true;
    } catch (const std::runtime_error&) {
      return false;
    }
  }

  std::filesystem::path folder_;
  std::filesystem::path path_;
};

}  // namespace obliq::testing

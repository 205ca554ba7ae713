// Damaged files: every corpus of the fuzz targets, cut at every length and changed at every byte,
// is read or refused. What such a reader may read beyond the end, AddressSanitizer sees.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "datasets/dataset.h"
#include "tests/datasets/files.h"
#include "tests/datasets/survival.h"

namespace obliq::datasets {
namespace {

using Bytes = std::vector<std::uint8_t>;
using Survive = bool (*)(std::span<const std::uint8_t>);

struct Corpus {
  std::string name;
  Survive survive;
};

std::vector<std::pair<std::string, Bytes>> seeds(const Corpus& corpus) {
  std::vector<std::pair<std::string, Bytes>> files;
  const std::filesystem::path tests = OBLIQ_SOURCE_DIR "/tests";
  const auto folder = tests / "fuzz" / "corpus" / corpus.name;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    files.emplace_back(entry.path().filename(), read_bytes(entry.path()));
  }
  return files;
}

// A copy of its own size, so that reading beyond the end is seen.
bool survives(const Corpus& corpus, const Bytes& bytes, std::size_t length) {
  const Bytes exact(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length));
  return corpus.survive(exact);
}

class DamagedFiles : public ::testing::TestWithParam<Corpus> {};

TEST_P(DamagedFiles, AreReadOrRefusedWhereverTheyAreCut) {
  for (const auto& [name, bytes] : seeds(GetParam())) {
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      survives(GetParam(), bytes, length);
    }
  }
}

TEST_P(DamagedFiles, AreReadOrRefusedWhicheverByteChanges) {
  for (auto& [name, bytes] : seeds(GetParam())) {
    const bool small = bytes.size() < 1024;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      const std::uint8_t before = bytes[i];
      // All eight bits of small files; of large ones a bit that varies with the place, and all.
      for (unsigned bit = small ? 0 : i % 8; bit < (small ? 8 : i % 8 + 1); ++bit) {
        bytes[i] = static_cast<std::uint8_t>(before ^ 1U << bit);
        survives(GetParam(), bytes, bytes.size());
      }
      bytes[i] = static_cast<std::uint8_t>(~before);
      survives(GetParam(), bytes, bytes.size());
      bytes[i] = before;
    }
  }
}

TEST_P(DamagedFiles, HaveSoundOnesAmongTheirSeeds) {
  const auto files = seeds(GetParam());
  EXPECT_GE(std::count_if(files.begin(), files.end(),
                          [](const auto& file) { return GetParam().survive(file.second); }),
            2);
}

INSTANTIATE_TEST_SUITE_P(Formats, DamagedFiles,
                         ::testing::Values(Corpus{"datasets_texmex", survive_texmex},
                                           Corpus{"datasets_big_ann", survive_big_ann},
                                           Corpus{"datasets_npy", survive_npy},
                                           Corpus{"datasets_csv", survive_csv}),
                         [](const auto& corpus) { return corpus.param.name; });

TEST(DamagedFlatFiles, AreRefusedWhenCutAnywhereInsideARow) {
  const Corpus texmex{"datasets_texmex", survive_texmex};
  const Bytes bytes = {3, 0, 0, 0, 1, 2, 3, 3, 0, 0, 0, 4, 5, 6};
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_EQ(survives(texmex, bytes, length), length == 7) << length;
  }
}

// A set without rows has any dim: no memory may be found for a row of it.
TEST(FlatFiles, AreRefusedWithRowsLongerThanAnyThatAreRead) {
  const TemporaryFolder folder;
  const std::string fbin = folder.file("none.fbin");
  std::ofstream(fbin, std::ios::binary) << std::string("\0\0\0\0\0\0\0\x7F", 8);
  const std::string npy = folder.file("none.npy");
  const std::string text = "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 1099511627776)}";
  std::ofstream(npy, std::ios::binary)
      << "\x93NUMPY\x01" << std::string("\0F\0", 3) << text << "\n";
  for (const std::string& path : {fbin, npy}) {
    EXPECT_THAT([&] { open_vectors(path); },
                ::testing::ThrowsMessage<std::runtime_error>(::testing::HasSubstr("rows of ")));
  }
}

}  // namespace
}  // namespace obliq::datasets

// What files are called and where their vectors are: formats that names do not tell, big-ann's
// names and truth files, datasets behind a colon, ids that are no vectors.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "datasets/dataset.h"
#include "tests/datasets/files.h"

namespace obliq::datasets {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

auto refuses(const std::string& text) {
  return ThrowsMessage<std::invalid_argument>(HasSubstr(text));
}

// Little-endian words of 32 bits.
void write_words(const std::string& path, const std::vector<std::uint32_t>& words) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(words.data()),
             static_cast<std::streamsize>(words.size() * sizeof words[0]));
}

Matrix<float> three_rows() {
  Matrix<float> rows(3, 2);
  rows.values = {1, 2, 3, 4, 5, 6};
  return rows;
}

class Names : public ::testing::Test {
 protected:
  std::string written(const std::string& name, const std::string& format) const {
    const std::string path = folder_.file(name);
    write_vectors(path, MatrixSource(three_rows().view()), {.format = format});
    return path;
  }

  TemporaryFolder folder_;
};

TEST_F(Names, ThatTellNoFormatTakeTheOneThatIsGiven) {
  for (const std::string format : {"hdf5", "h5", "fvecs", "bvecs", "ivecs", "f16bin", "fbin",
                                   "u8bin", "i8bin", "ibin", "npy"}) {
    const std::string path = written("vectors_" + format + ".dat", format);
    EXPECT_EQ(read_all(*open_vectors(path, "train", format)).values, three_rows().values) << format;
    EXPECT_EQ(read_all(*open_vectors(path, "train", "." + format)).values, three_rows().values);
    EXPECT_THAT([&] { open_vectors(path); }, refuses("give --format"));
  }
  EXPECT_THAT([&] { open_vectors("a", "", "bin"); }, refuses("'bin' is no format; valid: .hdf5"));
  EXPECT_THAT([&] { open_vectors("a", "", "a.fbin"); }, refuses("'a.fbin' is no format"));
}

TEST_F(Names, OfCroppedBigAnnFilesTellTheFormatBeforeTheCrop) {
  const std::string path = written("base.1B.fbin.crop_nb_3", "fbin");
  EXPECT_EQ(read_all(*open_vectors(path)).values, three_rows().values);
  EXPECT_EQ(told_format(path), "fbin");
  EXPECT_EQ(told_format("base.1B.u8bin.crop_nb_10000000"), "u8bin");
  for (const char* other :
       {"base.fbin.crop_nb_", "base.fbin.crop_nb_3x", "base.crop_nb_3", "fbin"}) {
    EXPECT_EQ(told_format(other), "") << other;
  }
}

// As cut by a tool that knows nothing of the header: it still tells 10^9 rows.
TEST_F(Names, OfCroppedFilesTellTheRowsWhereTheHeaderTellsMore) {
  const std::string path = folder_.file("base.1B.u8bin.crop_nb_2");
  write_bytes(path, {0, 0xCA, 0x9A, 0x3B, 2, 0, 0, 0, 1, 2, 3, 4});
  EXPECT_EQ(read_all(*open_vectors(path)).values, (std::vector<float>{1, 2, 3, 4}));
  write_bytes(path, {0, 0xCA, 0x9A, 0x3B, 2, 0, 0, 0, 1, 2, 3});
  EXPECT_THAT([&] { open_vectors(path); },
              ThrowsMessage<std::runtime_error>(HasSubstr("need 4 bytes, but 3 follow")));
}

TEST_F(Names, OfIdsAreNoVectorsUnlessTheFormatIsGiven) {
  for (const std::string format : {"ivecs", "ibin"}) {
    const std::string path = written("truth." + format, format);
    EXPECT_THAT([&] { open_vectors(path); },
                refuses(path + ": a ." + format +
                        " file holds ids of neighbours, not vectors: 'convert --ids' copies ids, "
                        "--format " +
                        format + " reads them as vectors"));
    EXPECT_EQ(read_all(*open_vectors(path, "", format)).values, three_rows().values);
  }
}

TEST_F(Names, WithAColonAreFilesWhereThereAreSuch) {
  const std::string set = written("set.hdf5", "");
  std::filesystem::create_directory(folder_.file("a:b"));
  const std::string odd = written("a:b/c:d.hdf5", "");
  const std::string flat = written("b.npy", "");
  for (const std::string& spec : {set, set + ":train", set + ":/train", odd, odd + ":train"}) {
    EXPECT_EQ(open_vectors(spec)->rows(), 3U) << spec;
  }
  EXPECT_EQ(locate(set + ":my:data.npy", "").dataset, "my:data.npy");
  EXPECT_EQ(locate(folder_.file("none.hdf5:g/x"), "").dataset, "g/x");
  EXPECT_THAT([&] { open_vectors(flat + ":train"); },
              refuses("b.npy: a .npy file is one array, without datasets: leave out ':train'"));
  EXPECT_THAT([&] { read_ids(flat + ":train", "ids"); }, refuses("leave out ':train'"));
  EXPECT_THAT([&] { open_vectors(set + ":"); }, refuses("names no dataset behind its colon"));
  EXPECT_THAT([&] { open_vectors(""); }, refuses("is empty"));
  EXPECT_THAT([&] { read_set(set + ":train"); }, refuses("give '" + set + "' without ':train'"));
}

TEST_F(Names, OfAnyBytesAreRead) {
  const std::string path = written("\xFF\xC3(.hdf5", "");
  EXPECT_EQ(open_vectors(path + ":train")->rows(), 3U);
}

TEST_F(Names, OfBigAnnTruthMayBeAnyForItsSizeTellsTheLayout) {
  for (const std::string name :
       {"GT.public.1B.ibin", "deep_new_groundtruth.public.10K.bin", "deep-10M"}) {
    const std::string path = folder_.file(name);
    write_words(path, {2, 3, 7, 8, 9, 4, 5, 0xFFFFFFFF});
    EXPECT_THAT(read_ids(path, "").values, ElementsAre(7, 8, 9, 4, 5, -1)) << name;
    EXPECT_THAT(read_truth_bin(path).distances.values, ElementsAre()) << name;
    write_words(path, {2, 3, 7, 8, 9, 4, 5, 6, 0, 0, 0x3F800000, 0, 0, 0x40000000});
    EXPECT_THAT(read_ids(path, "").values, ElementsAre(7, 8, 9, 4, 5, 6)) << name;
    EXPECT_THAT(read_truth_bin(path).distances.values, ElementsAre(0, 0, 1, 0, 0, 2)) << name;
  }
  const std::string ibin = folder_.file("GT.public.1B.ibin");
  EXPECT_THROW(open_vectors(ibin, "", "ibin"), std::runtime_error);  // not as vectors
}

TEST_F(Names, OfRangeTruthAreRefusedAsSuch) {
  for (const std::string name :
       {"FB_ssnpp_public_queries_GT.rangeres", "truth.ibin", "truth.bin"}) {
    const std::string path = folder_.file(name);
    write_words(path, {3, 4, 1, 0, 3, 10, 11, 12, 13, 0, 0, 0, 0});
    EXPECT_THAT([&] { read_ids(path, ""); },
                refuses("the truth of a range search (3 queries, 4 results)"));
  }
}

TEST_F(Names, OfOtherFilesAreNoTruth) {
  const std::string path = folder_.file("notes");
  write_words(path, {3, 4, 1, 0, 2, 10, 11, 12, 13, 0, 0, 0, 0});  // counts that add up to 3
  EXPECT_THAT([&] { read_ids(path, ""); }, refuses("notes: unknown format"));
  write_bytes(path, {1, 2, 3});
  EXPECT_THAT([&] { read_ids(path, ""); }, refuses("notes: unknown format"));
  write_words(folder_.file("truth.ibin"), {0xFFFFFFFF, 0xFFFFFFFF, 1});
  EXPECT_THAT([&] { read_ids(folder_.file("truth.ibin"), ""); },
              ThrowsMessage<std::runtime_error>(HasSubstr("18446744065119617025 ids of 4 bytes")));
}

}  // namespace
}  // namespace obliq::datasets

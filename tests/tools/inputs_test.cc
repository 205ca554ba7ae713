// What commands read: --format, files that hold ids, sets whose truth is not needed, names of any
// bytes; and the exit codes of inputs that do not fit (2) and of damaged ones (1).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "datasets/dataset.h"
#include "tests/tools/program.h"

namespace obliq::tools {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const std::string kStored = std::string(OBLIQ_SOURCE_DIR) + "/tests/datasets/stored/";

class Inputs : public testing::Test {
 protected:
  Inputs() {
    must({"generate", "clustered", "--n", "200", "--dim", "8", "--queries", "10", "--learn-queries",
          "20", "-k", "5", "-o", set_});
  }

  std::string convert(const std::string& input, const std::string& name) const {
    must({"convert", input, "-o", folder_ / name});
    return folder_ / name;
  }
  std::string renamed(const std::string& from, const std::string& name) const {
    std::filesystem::copy_file(from, folder_ / name);
    return folder_ / name;
  }

  // One line with all of `texts`, and exit code 2.
  static void refused(const std::vector<std::string>& arguments,
                      const std::vector<std::string>& texts) {
    const Outcome outcome = run_obliq(arguments);
    EXPECT_EQ(outcome.exit_code, 2) << outcome.err;
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    for (const std::string& text : texts) EXPECT_THAT(outcome.err, HasSubstr(text));
  }

  TemporaryFolder folder_;
  std::string set_ = folder_ / "set.hdf5";
  std::string index_ = folder_ / "index.obliq";
};

TEST_F(Inputs, WithoutASuffixAreReadInTheFormatThatIsGiven) {
  const std::string base = renamed(convert(set_, "b.fbin"), "base.dat");
  const std::string queries = renamed(convert(set_ + ":test", "q.fbin"), "queries.bin");
  const std::string learn = convert(set_ + ":learn_queries", "learn.npy");
  const std::string set = renamed(set_, "plain");
  refused({"build", base, "-o", index_}, {"base.dat: unknown format", "--format"});
  refused({"build", base, "-o", index_, "--format", "bin"}, {"'bin' is no format; valid: .hdf5"});
  must({"build", base, "-o", index_, "--format", "fbin", "--quantizer", "lm4:query",
        "--train-queries", learn});
  must({"search", index_, queries, "--format", "fbin"});
  must({"tune", index_, "--learn-queries", queries, "--format", ".fbin"});
  must({"groundtruth", base, queries, "-k", "5", "-o", folder_ / "t.hdf5", "--format", "fbin"});
  must({"centroids", base, "-o", folder_ / "c.npy", "--nlist", "4", "--format", "fbin"});
  must({"distortion", "--specs", "lm2", "--data", base, "--queries", learn, "--format", "fbin"});
  must({"convert", set, "-o", folder_ / "x.fbin", "--format", "hdf5"});
  EXPECT_THAT(must({"search", index_, set, "--format", "hdf5"}).out, HasSubstr("query 9"));
  const auto built = must({"build", set + ":train", "-o", index_, "--format", "hdf5", "--json"});
  EXPECT_EQ(json_lines(built)[0]["n"], 200);
  EXPECT_EQ(datasets::read_set(folder_ / "t.hdf5").truth.ids.values,
            datasets::read_set(set_).truth.ids.values);
}

TEST_F(Inputs, WithSuffixesThatAreWrongAreReadInTheFormatThatIsGiven) {
  const std::string base = renamed(convert(set_, "b.fbin"), "base.u8bin");
  EXPECT_EQ(run_obliq({"build", base, "-o", index_}).exit_code, 1);
  must({"build", base, "-o", index_, "--format", "fbin"});
}

TEST_F(Inputs, OfBigAnnAreReadByTheirNames) {
  const std::string base = renamed(convert(set_, "b.fbin"), "base.1B.fbin.crop_nb_200");
  const std::string queries = convert(set_ + ":test", "query.public.10.fbin");
  must({"groundtruth", base, queries, "-k", "5", "-o", folder_ / "truth.bin"});
  must({"build", base, "-o", index_});
  const auto right = datasets::read_set(set_).truth;
  for (const char* name : {"GT.public.1B.ibin", "deep-10M", "gt.public.10000000.bin"}) {
    if (!std::filesystem::exists(folder_ / name)) renamed(folder_ / "truth.bin", name);
    must({"convert", base, "--queries", queries, "--truth", folder_ / name, "-o",
          folder_ / "made.hdf5"});
    EXPECT_EQ(datasets::read_set(folder_ / "made.hdf5").truth.ids.values, right.ids.values) << name;
    must({"convert", "--ids", folder_ / name, "-o", folder_ / "ids.npy"});
    EXPECT_EQ(datasets::read_ids(folder_ / "ids.npy", "").values, right.ids.values) << name;
  }
}

TEST_F(Inputs, OfIdsAreNoVectorsUnlessTheFormatSaysSo) {
  const std::string truth = folder_ / "truth.ivecs";
  must({"convert", "--ids", set_, "-o", truth});
  refused({"build", truth, "-o", index_},
          {"holds ids of neighbours, not vectors", "--format ivecs"});
  refused({"convert", truth, "-o", folder_ / "t.npy"}, {"'convert --ids' copies ids"});
  EXPECT_FALSE(std::filesystem::exists(index_));
  const auto built = must({"build", truth, "-o", index_, "--format", "ivecs", "--json"});
  EXPECT_EQ(json_lines(built)[0]["dim"], 5);
}

TEST_F(Inputs, OfWideTypesAreRefusedWithRowValueAndRemedy) {
  const std::string file = kStored + "filters.hdf5:wide/";
  refused({"build", file + "int64", "-o", index_}, {"row 1 holds -16777217", "scale the vectors"});
  refused({"convert", file + "float64", "-o", folder_ / "x.npy"}, {"row 1 holds 1e+300"});
  refused({"build", file + "flat", "-o", index_}, {"one axis of 6 values", "reshape(n, dim)"});
  refused({"build", kStored + "filters.hdf5:lzf", "-o", index_}, {"LZF", "compression='gzip'"});
  EXPECT_EQ(run_obliq({"build", kStored + "filters.hdf5:changed", "-o", index_}).exit_code, 1);
}

// The truth is for more rows than the set has: only what needs the truth looks at it.
TEST_F(Inputs, WithTruthForOtherRowsAreReadWhereTheTruthIsNotNeeded) {
  auto set = datasets::read_set(set_);
  set.truth.ids.values[7] = 200;
  datasets::write_set(set_, set);
  must({"build", set_, "-o", index_});
  must({"convert", set_, "-o", folder_ / "x.fbin"});
  must({"search", index_, set_});
  must({"groundtruth", set_, set_, "-k", "5", "-o", folder_ / "again.hdf5"});
  refused({"eval", index_, set_}, {"dataset 'neighbors': holds id 200, but train has 200 rows"});
  must({"eval", index_, folder_ / "again.hdf5", "-k", "5", "--repeat", "1"});
  must({"convert", "--ids", set_, "-o", folder_ / "truth.ivecs"});
  refused({"convert", set_, "--queries", set_, "--truth", folder_ / "truth.ivecs", "-o",
           folder_ / "made.hdf5"},
          {"names vector 200, but the base has 200 rows: give that of these rows"});
}

TEST_F(Inputs, MayHaveNamesOfAnyBytes) {
  const std::string base = renamed(set_, "\xFF\xC3 set.hdf5");
  const std::string index = folder_ / "\x80index";
  must({"build", base + ":train", "-o", index});
  const auto lines = json_lines(must({"search", index, base, "--json", "--limit", "1"}));
  EXPECT_EQ(lines[0]["ids"].size(), 10U);
  refused({"search", index, folder_ / "\xFF.txt"}, {"\xFF.txt: unknown format"});
}

TEST_F(Inputs, MustHaveNames) {
  must({"build", set_, "-o", index_});
  refused({"build", "", "-o", index_}, {"empty"});
  refused({"search", index_, ""}, {"empty"});
  refused({"search", index_, set_, "-o", ""}, {"names no file"});
  refused({"build", set_, "-o", index_, "--ids", ""}, {"--ids", "names no file"});
  refused({"build", set_, "-o", index_, "--centroids="}, {"--centroids"});
  refused({"tune", index_, "--learn-queries", ""}, {"--learn-queries", "names no file"});
  refused({"convert", set_, "--queries", "", "-o", folder_ / "x.hdf5"}, {"--queries"});
  refused({"build", set_ + ":", "-o", index_}, {"names no dataset behind its colon"});
  refused({"build", convert(set_, "b.npy") + ":train", "-o", index_}, {"leave out ':train'"});
}

TEST_F(Inputs, ThatDoNotFitEndWithTwo) {
  must({"build", set_, "-o", index_});
  const std::string other = kStored + "filters.hdf5";
  refused({"search", index_, other + ":g/h/train"}, {"dim"});
  refused({"tune", index_, "--learn-queries", other + ":g/h/train"}, {"dim"});
  refused({"groundtruth", set_, other + ":g/h/train", "-o", folder_ / "t.bin"}, {"dim"});
  refused({"build", set_, "-o", index_, "--centroids", other + ":g/h/train"}, {"dim"});
  refused({"build", set_, "-o", index_, "--ids", set_ + ":neighbors"},
          {"ids are one per vector, not 10 rows of 5"});
  refused({"build", set_, "-o", index_, "--ids", set_ + ":train"}, {"does not hold integers"});
  refused({"build", set_ + ":absent", "-o", index_}, {"is not in the file; '/' holds 'distances'"});
  refused({"build", other + ":g", "-o", index_}, {"is a group and no dataset; it holds 'h'"});
  refused({"eval", index_, set_, "-k", "6"}, {"5"});
  refused({"eval", index_, set_ + ":test"}, {"a whole set is needed"});
  refused({"eval", index_, other}, {"dataset 'train': is not in the file"});
}

TEST_F(Inputs, HaveAnswersForAnyKButNoMoreThanThereAreVectors) {
  must({"build", set_, "-o", index_});
  const auto lines = json_lines(must(
      {"search", index_, set_, "-k", "99999999999", "--limit", "1", "--json", "--nprobe", "1"}));
  EXPECT_EQ(lines[0]["ids"].size(), 200U);
}

TEST_F(Inputs, OfAFewForeignBytesAreNoIndex) {
  std::ofstream(folder_ / "notes") << "hello";
  const Outcome outcome = run_obliq({"search", folder_ / "notes", set_});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("notes: header at offset 0: not an obliq index"));
}

}  // namespace
}  // namespace obliq::tools

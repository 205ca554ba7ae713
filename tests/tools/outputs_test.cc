// What holds of the output of every command: it is never an input, its name tells its format, and
// /dev/stdout gets the bytes alone.
#include "tools/outputs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include "datasets/dataset.h"
#include "tests/tools/program.h"

namespace obliq::tools {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

std::string bytes_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

class Outputs : public testing::Test {
 protected:
  Outputs() {
    must({"generate", "gaussian", "--n", "300", "--dim", "4", "--queries", "5", "-k", "3",
          "--learn-queries", "20", "-o", set_});
    must({"build", set_, "-o", index_, "--no-tune"});
    must({"convert", set_, "-o", vectors_});
  }

  /// Where there is a flag of the command for output "OUT" that is refused as it is an input.
  void expect_refused(std::vector<std::string> arguments, const std::string& output) {
    for (std::string& argument : arguments) {
      if (argument == "OUT") argument = output;
    }
    const std::vector<std::string> before = {bytes_of(set_), bytes_of(index_), bytes_of(vectors_)};
    const Outcome outcome = run_obliq(arguments);
    EXPECT_EQ(outcome.exit_code, 2) << arguments[0];
    EXPECT_THAT(outcome.err, AllOf(StartsWith("obliq " + arguments[0] + ": "),
                                   HasSubstr("'" + output + "'"), HasSubstr("another name")));
    EXPECT_THAT(outcome.out, IsEmpty());
    EXPECT_THAT(before, testing::ElementsAre(bytes_of(set_), bytes_of(index_), bytes_of(vectors_)));
  }

  TemporaryFolder folder_;
  std::string set_ = folder_ / "set.hdf5";
  std::string index_ = folder_ / "index.obliq";
  std::string vectors_ = folder_ / "vectors.npy";
};

TEST_F(Outputs, AreNeverTheInputOfTheCommand) {
  const std::vector<std::vector<std::string>> set_commands = {
      {"build", set_, "-o", "OUT"},
      {"build", vectors_, "-o", "OUT", "--train-queries", set_ + ":learn_queries"},
      {"convert", set_ + ":test", "-o", "OUT"},
      {"convert", vectors_, "--queries", set_, "-o", "OUT"},
      {"convert", vectors_, "--queries", vectors_, "--truth", set_ + ":neighbors", "-o", "OUT"},
      {"convert", set_, "--ids", "-o", "OUT"},
      {"groundtruth", set_, vectors_, "-o", "OUT"},
      {"groundtruth", vectors_, set_ + ":test", "-o", "OUT"},
      {"centroids", set_, "--nlist", "2", "-o", "OUT"},
      {"search", index_, set_, "-o", "OUT"},
      {"advise", set_, "--check", "OUT"},
      {"bench", set_, "--out", "OUT"},
      {"distortion", "--data", set_, "--plot", folder_ / "link.png"}};
  fs::create_symlink("set.hdf5", folder_ / "link.png");
  fs::create_symlink("set.hdf5", folder_ / "link.hdf5");
  fs::create_hard_link(set_, folder_ / "hard.hdf5");
  fs::create_directory(folder_ / "sub");
  for (const auto& command : set_commands) {
    for (const std::string name : {"set.hdf5", "link.hdf5", "hard.hdf5", "sub/../set.hdf5"}) {
      const bool plots = command[0] == "distortion";
      expect_refused(command, plots ? folder_ / "link.png" : folder_ / name);
    }
  }
  expect_refused({"search", index_, set_, "-o", "OUT"}, index_);
  expect_refused({"build", vectors_, "-o", "OUT"}, vectors_);
  expect_refused({"build", set_, "--centroids", vectors_, "-o", "OUT"}, vectors_);
  expect_refused({"build", set_, "--ids", vectors_, "-o", "OUT"}, vectors_);
  expect_refused({"bench", set_, "--profile", "--index", index_, "--out", "OUT"}, index_);
  expect_refused({"tune", "OUT", "--learn-queries", index_}, index_);
}

TEST_F(Outputs, AreFilesOfTheirOwn) {
  const std::string a = folder_ / "a";
  EXPECT_THROW(check_outputs({a, folder_ / "./a"}, {}), std::invalid_argument);
  EXPECT_THROW(check_outputs({""}, {}), std::invalid_argument);
  EXPECT_NO_THROW(check_outputs({a, folder_ / "b"}, {set_, ""}));
  EXPECT_NO_THROW(check_outputs({"/dev/null", "/dev/null"}, {"/dev/null"}));
  EXPECT_THROW(check_outputs({set_}, {set_ + ":a:b"}), std::invalid_argument);
}

TEST_F(Outputs, HaveTheFormatOfTheirNameOrAreRefused) {
  const std::vector<std::vector<std::string>> commands = {
      {"generate", "gaussian", "-o", folder_ / "x.npy"},
      {"generate", "gaussian", "-o", folder_ / "x"},
      {"convert", set_, "-o", folder_ / "x.obliq"},
      {"convert", set_, "-o", folder_ / "x.npy", "--output-format", ".fvecs"},
      {"convert", vectors_, "--queries", set_, "-o", folder_ / "x.npy"},
      {"groundtruth", set_, set_, "-o", folder_ / "x.ivecs"},
      {"centroids", set_, "--nlist", "2", "-o", folder_ / "x.txt"},
      {"build", set_, "-o", folder_ / "x.npy"},
      {"search", index_, set_, "-o", folder_ / "x.npy"},
      {"search", index_, set_, "-o", folder_ / "x"},
      {"advise", set_, "--check", folder_ / "x.fvecs"},
      {"bench", set_, "--out", folder_ / "x.hdf5"},
      {"bench", set_, "--out", folder_ / "x.jsonl", "--plot", folder_ / "x.pdf"},
      {"distortion", "--plot", folder_ / "x.svg"}};
  for (const auto& command : commands) {
    const Outcome outcome = run_obliq(command);
    EXPECT_EQ(outcome.exit_code, 2) << command[0] << ": " << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(folder_ / "x"));
    EXPECT_EQ(std::distance(fs::directory_iterator(folder_.path()), {}), 3) << command[0];
  }
}

TEST_F(Outputs, MayBeStdoutWhichThenGetsNothingElse) {
  const std::vector<std::vector<std::string>> pairs[] = {
      {{"convert", set_, "-o", vectors_}, {"convert", set_, "--output-format", ".npy"}},
      {{"convert", set_, "--ids", "-o", folder_ / "ids.ivecs"},
       {"convert", set_, "--ids", "--output-format", ".ivecs"}},
      {{"build", set_, "-o", index_, "--no-tune"}, {"build", set_, "--no-tune"}},
      {{"groundtruth", set_, set_, "-k", "3", "-o", folder_ / "truth.hdf5"},
       {"groundtruth", set_, set_, "-k", "3"}}};
  for (const auto& pair : pairs) {
    const std::vector<std::string>& to_file = pair[0];
    must(to_file);
    const auto name = std::find(to_file.begin(), to_file.end(), "-o") + 1;
    for (const char* path : {"/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"}) {
      std::vector<std::string> to_stdout = pair[1];
      to_stdout.insert(to_stdout.end(), {"-o", path, "--json"});
      if (to_stdout[0] == "build") to_stdout.pop_back();
      EXPECT_TRUE(must(to_stdout).out == bytes_of(*name)) << to_stdout[0] << " " << path;
    }
  }
  EXPECT_THAT(run_obliq({"convert", set_, "-o", "/dev/stdout"}).err,
              HasSubstr("give one with --output-format"));
}

TEST_F(Outputs, NameThePathThatLacksAFolder) {
  const Outcome outcome = run_obliq({"convert", set_, "-o", folder_ / "no/x.npy"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.err,
              AllOf(StartsWith("obliq convert: " + (folder_ / "no/x.npy") + ": cannot open"),
                    EndsWith("No such file or directory\n")));
}

}  // namespace
}  // namespace obliq::tools

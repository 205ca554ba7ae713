// The program that runs programs for the tests, and what every command of `obliq` has in common.
#include "tests/tools/program.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

namespace obliq::tools {
namespace {

std::string read_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

int spawn_and_wait(std::vector<char*> argv, const std::string& out, const std::string& err) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  constexpr int kFlags = O_WRONLY | O_CREAT | O_TRUNC;
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out.c_str(), kFlags, 0600);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, err.c_str(), kFlags, 0600);
  pid_t child = 0;
  const int failed = posix_spawn(&child, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return -1;
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

Outcome run_obliq(const std::vector<std::string>& arguments) {
  const TemporaryFolder folder;
  std::vector<std::string> words = {OBLIQ_PROGRAM};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  Outcome outcome;
  outcome.exit_code = spawn_and_wait(argv, folder / "out", folder / "err");
  outcome.out = read_text(folder / "out");
  outcome.err = read_text(folder / "err");
  return outcome;
}

Outcome must(const std::vector<std::string>& arguments) {
  Outcome outcome = run_obliq(arguments);
  EXPECT_EQ(outcome.exit_code, 0) << arguments[0] << ": " << outcome.err;
  return outcome;
}

std::vector<nlohmann::json> json_lines(const Outcome& outcome) {
  std::vector<nlohmann::json> lines;
  std::istringstream in(outcome.out);
  for (std::string line; std::getline(in, line);) {
    nlohmann::json json = nlohmann::json::parse(line, nullptr, false);
    if (json.is_discarded()) {
      ADD_FAILURE() << "not JSON: " << line << "\n" << outcome.err;
      return {};
    }
    lines.push_back(std::move(json));
  }
  return lines;
}

namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::StartsWith;

TEST(Program, PrintsVersionAndSimdLevel) {
  const Outcome outcome = run_obliq({"--version"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.out,
              MatchesRegex("obliq [0-9]+\\.[0-9]+\\.[0-9]+ \\(SIMD [a-z0-9]+; [0-9]+ threads? by "
                           "default: .*\\)\n"));
}

TEST(Program, ExplainsEveryCommandWithExitCodeZero) {
  for (const char* command : {"demo", "generate", "convert", "groundtruth", "centroids", "advise",
                              "build", "train", "encode", "merge", "search", "eval", "tune", "info",
                              "verify", "distortion", "matmul", "bench"}) {
    const Outcome outcome = run_obliq({command, "--help"});
    EXPECT_EQ(outcome.exit_code, 0) << command;
    EXPECT_THAT(outcome.out, HasSubstr("Usage: obliq " + std::string(command)));
    EXPECT_THAT(outcome.err, IsEmpty()) << command;
    EXPECT_THAT(run_obliq({"--help"}).out, HasSubstr(std::string("\n  ") + command + " "));
  }
}

TEST(Program, TellsTheDefaultsInTheHelp) {
  const std::string help = run_obliq({"eval", "--help"}).out;
  EXPECT_THAT(help, HasSubstr("--repeat UINT:POSITIVE=5"));
  EXPECT_THAT(help, HasSubstr("--threads INT:NONNEGATIVE=1"));
  EXPECT_THAT(run_obliq({"build", "--help"}).out, HasSubstr("--seed UINT=1"));
}

TEST(Program, AsksForACommandWhenThereIsNone) {
  const Outcome outcome = run_obliq({});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.err, StartsWith("obliq: name a command: demo, generate"));
}

TEST(Program, ListsTheCommandsWhenOneIsUnknown) {
  const Outcome outcome = run_obliq({"serach"});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.err, StartsWith("obliq: 'serach' is not a command; valid: demo, generate"));
  EXPECT_THAT(outcome.out, IsEmpty());
}

TEST(Program, SaysInOneLineWhatIsWrongWithTheFlags) {
  const std::vector<std::vector<std::string>> wrong = {{"info"},
                                                       {"info", "a", "--nonsense"},
                                                       {"info", "a", "b"},
                                                       {"build", "a", "-o", "b", "--threads", "-1"},
                                                       {"build", "a", "-o", "b", "--metric", "l3"},
                                                       {"build", "a", "-o", "b", "--raw", "fp8"},
                                                       {"search", "a", "b", "-k", "0"},
                                                       {"eval", "a", "b", "--nprobe", "4,x"},
                                                       {"eval", "a", "b", "--confidence", "1.5"}};
  for (const auto& arguments : wrong) {
    const Outcome outcome = run_obliq(arguments);
    EXPECT_EQ(outcome.exit_code, 2) << outcome.err;
    EXPECT_THAT(outcome.err, StartsWith("obliq " + arguments[0] + ": "));
    EXPECT_THAT(outcome.err, EndsWith("('obliq " + arguments[0] + " --help' lists the flags)\n"));
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1);
  }
}

TEST(Program, NamesACountThatIsNone) {
  for (const std::string count : {"0", "-3", "1.5", "many"}) {
    for (const std::string flag : {"-k", "--nprobe="}) {
      const Outcome outcome = run_obliq({"search", "a", "b", flag + count});
      EXPECT_EQ(outcome.exit_code, 2);
      EXPECT_THAT(outcome.err,
                  HasSubstr(": must be a whole number of 1 or more, not '" + count + "'"));
    }
  }
}

TEST(Program, NamesANumberThatIsOutOfItsRange) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> wrong = {
      {{"matmul", "--columns=0"}, "must be a whole number of 1 or more, not '0'"},
      {{"matmul", "--rho=2"}, "must be a number from -1 to 1, not '2'"},
      {{"distortion", "--dim=0"}, "must be a whole number of 1 or more, not '0'"},
      {{"distortion", "--samples=-1"}, "must be a whole number of 1 or more, not '-1'"},
      {{"search", "a", "b", "--threads=-1"}, "must be a whole number of 0 or more, not '-1'"},
      {{"eval", "a", "b", "--confidence=nan"}, "must be a number from 0 to 1, not 'nan'"},
      {{"advise", "a", "--sample=5"}, "must be a number from 8000 to 10000000, not '5'"}};
  for (const auto& [arguments, message] : wrong) {
    const Outcome outcome = run_obliq(arguments);
    EXPECT_EQ(outcome.exit_code, 2);
    EXPECT_THAT(outcome.err, HasSubstr(": " + message));
  }
}

TEST(Program, NamesAFileThatIsNotThere) {
  for (const auto& arguments :
       std::vector<std::vector<std::string>>{{"info", "/no/such.obliq"},
                                             {"build", "/no/such.fvecs", "-o", "/no/out.obliq"},
                                             {"search", "/no/such.obliq", "/no/such.fvecs"},
                                             {"convert", "/no/such.npy", "-o", "/no/out.fvecs"}}) {
    const Outcome outcome = run_obliq(arguments);
    EXPECT_EQ(outcome.exit_code, 1) << arguments[0];
    EXPECT_THAT(outcome.err, StartsWith("obliq " + arguments[0] + ": /no/such."));
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1);
  }
}

TEST(Program, KeepsStderrEmptyWhenAllIsWell) {
  const TemporaryFolder folder;
  const Outcome outcome = run_obliq({"generate", "gaussian", "--n", "50", "--dim", "4", "--queries",
                                     "2", "-k", "3", "-o", folder / "set.hdf5"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.err, IsEmpty());
}

}  // namespace
}  // namespace obliq::tools

// Ctrl-C, SIGTERM and SIGHUP in commands that work long: the exit code tells the signal, and
// nothing is left behind.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "tests/tools/program.h"

namespace obliq::tools {
namespace {

namespace fs = std::filesystem;

std::string sample() {
  return std::string(OBLIQ_SOURCE_DIR) + "/datasets/sample/sample-384-angular.hdf5";
}

/// A run of the program, its output thrown away.
class Running {
 public:
  explicit Running(std::vector<std::string> arguments) : pid_(::fork()) {
    if (pid_ != 0) return;
    arguments.insert(arguments.begin(), OBLIQ_PROGRAM);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    const int nowhere = ::open("/dev/null", O_RDWR);
    for (const int fd : {0, 1, 2}) ::dup2(nowhere, fd);
    ::execv(argv[0], argv.data());
    ::_exit(126);
  }

  /// Waits until `condition` holds or the program has ended. Returns whether it is still running.
  bool wait_until(const std::function<bool()>& condition) {
    while (!condition()) {
      if (::waitpid(pid_, &status_, WNOHANG) == pid_) return false;
      ::usleep(500);
    }
    return true;
  }

  /// Whether the program has told the system that it takes the signal.
  bool catches(int signal) const {
    std::ifstream in("/proc/" + std::to_string(pid_) + "/status");
    for (std::string line; std::getline(in, line);) {
      if (!line.starts_with("SigCgt:")) continue;
      return (std::stoull(line.substr(7), nullptr, 16) >> (signal - 1) & 1) != 0;
    }
    return false;
  }

  void send(int signal) const { ::kill(pid_, signal); }

  /// The exit code, -1 where a signal ended it.
  int wait() {
    ::waitpid(pid_, &status_, 0);
    return WIFEXITED(status_) ? WEXITSTATUS(status_) : -1;
  }

 private:
  pid_t pid_;
  int status_ = 0;
};

std::size_t entries(const std::string& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), {}));
}

/// Commands that work long, with files of `folder`; what they write is in `outputs`.
std::vector<std::vector<std::string>> long_commands(const TemporaryFolder& folder,
                                                    const TemporaryFolder& outputs) {
  const std::string index = folder / "index.obliq";
  const std::string model = folder / "model.obliq";
  const std::string segment = folder / "segment.obliq";
  must({"build", sample(), "-o", index, "--quantizer", "lm2", "--no-tune"});
  must({"train", sample(), "-o", model, "--nlist", "100", "--kmeans-iterations", "1"});
  must({"encode", model, sample(), "-o", segment});
  const std::string train = sample() + ":train";
  const std::string out = outputs / "out";
  return {{"generate", "clustered", "--n", "2000000", "-o", out + ".hdf5"},
          {"groundtruth", train, train, "-o", out + ".hdf5"},
          {"centroids", train, "--nlist", "4000", "-o", out + ".npy"},
          {"build", sample(), "-o", out + ".obliq"},
          {"train", sample(), "-o", out + ".obliq"},
          {"encode", model, sample(), "-o", out + ".obliq"},
          {"merge", model, segment, "-o", out + ".obliq"},
          {"search", index, train, "--nprobe", "400", "--confidence", "1", "-o", out + ".hdf5"},
          {"eval", index, sample(), "--repeat", "100000"},
          {"tune", index},
          {"advise", sample()},
          {"distortion", "--dim", "1024"},
          {"matmul", "--trials", "100000"},
          {"bench", sample(), "--repeat", "100000"},
          {"demo", "--data", sample(), "--out", outputs / "demo"}};
}

TEST(Signals, EndEveryLongCommandWithTheirExitCode) {
  const TemporaryFolder folder;
  const TemporaryFolder outputs;
  const auto commands = long_commands(folder, outputs);
  const std::size_t inputs = entries(folder.path());
  const int signals[] = {SIGINT, SIGTERM, SIGHUP};
  for (std::size_t i = 0; i < commands.size(); ++i) {
    const int signal = signals[i % 3];
    Running run(commands[i]);
    ASSERT_TRUE(run.wait_until([&] { return run.catches(signal); })) << commands[i][0];
    run.send(signal);
    EXPECT_EQ(run.wait(), 128 + signal) << commands[i][0];
    fs::remove(outputs / "demo");  // the folder, when it is empty
    EXPECT_EQ(entries(outputs.path()), 0U) << commands[i][0];
    EXPECT_EQ(entries(folder.path()), inputs) << commands[i][0];
  }
}

/// big-ann vectors, all zero, that take no room on the disk.
void write_zeros(const std::string& path, std::uint32_t rows, std::uint32_t dim) {
  const std::uint32_t shape[2] = {rows, dim};
  std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(shape), sizeof shape);
  fs::resize_file(path, sizeof shape + std::uintmax_t{4} * rows * dim);
}

TEST(Signals, LeaveNoHalfWrittenFile) {
  const TemporaryFolder folder;
  const std::string input = folder / "zeros.fbin";
  write_zeros(input, 300000, 100);
  for (const std::string suffix : {".npy", ".hdf5", ".fvecs"}) {
    Running run({"convert", input, "-o", folder / "out" + suffix});
    ASSERT_TRUE(run.wait_until([&] { return entries(folder.path()) == 2; })) << suffix;
    run.send(SIGSTOP);
    run.send(SIGTERM);
    run.send(SIGCONT);
    EXPECT_EQ(run.wait(), 143) << suffix;
    EXPECT_EQ(entries(folder.path()), 1U) << suffix;
  }
}

TEST(Signals, EndAWriterThatWaitsForTheReaderOfAPipe) {
  const TemporaryFolder folder;
  const std::string pipe = folder / "pipe.hdf5";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  Running run({"convert", sample(), "-o", pipe});
  ASSERT_TRUE(run.wait_until([&] { return run.catches(SIGINT); }));
  run.send(SIGINT);
  EXPECT_EQ(run.wait(), 130);
  EXPECT_EQ(entries(folder.path()), 1U);
}

TEST(Signals, KilledWritersLeaveAFileThatTheNextOneRemoves) {
  const TemporaryFolder folder;
  const std::string input = folder / "zeros.fbin";
  write_zeros(input, 300000, 100);
  Running run({"convert", input, "-o", folder / "out.npy"});
  ASSERT_TRUE(run.wait_until([&] { return entries(folder.path()) == 2; }));
  run.send(SIGKILL);
  EXPECT_EQ(run.wait(), -1);
  must({"generate", "gaussian", "--n", "20", "--dim", "4", "--queries", "2", "-k", "2", "-o",
        folder / "set.hdf5"});
  EXPECT_EQ(entries(folder.path()), 2U);
}

}  // namespace
}  // namespace obliq::tools

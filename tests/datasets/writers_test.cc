// What holds of every writer of sets, vectors, ids and results: they all write with AtomicFile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <functional>
#include <string>
#include <system_error>
#include <vector>

#include "datasets/dataset.h"
#include "datasets/hdf5_reader.h"
#include "tests/datasets/files.h"
#include "tests/storage/failing_calls.h"

namespace obliq::datasets {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

/// A writer, and the suffix of what it writes.
struct Writer {
  std::string suffix;
  std::function<void(const std::string& path)> write;
};

BenchmarkSet set_of(std::size_t rows) {
  BenchmarkSet set;
  set.train = gaussian_vectors(rows, 8, 1);
  set.test = gaussian_vectors(3, 8, 2);
  set.truth.ids = Matrix<std::int64_t>(3, 1);
  set.truth.distances = Matrix<float>(3, 1);
  set.train_labels = std::vector<std::string>(rows, "label");
  return set;
}

/// All of them, with so many rows.
std::vector<Writer> writers(std::size_t rows) {
  const auto vectors = [rows](const std::string& path) {
    const Matrix<float> all = gaussian_vectors(rows, 8, 1);
    write_vectors(path, MatrixSource(all.view()));
  };
  const auto ids = [rows](const std::string& path) {
    write_ids(path, Matrix<std::int64_t>(rows, 2).view());
  };
  const auto truth = [rows](const std::string& path) {
    write_truth_bin(path, {Matrix<std::int64_t>(rows, 2), Matrix<float>(rows, 2)});
  };
  const auto results = [rows](const std::string& path) {
    ResultFile file;
    file.k = 2;
    file.ids = Matrix<std::int64_t>(rows, 2);
    file.distances = Matrix<float>(rows, 2);
    file.query_seconds.resize(rows);
    write_results(path, file);
  };
  return {{".fvecs", vectors}, {".fbin", vectors},
          {".npy", vectors},   {".hdf5", vectors},
          {".ivecs", ids},     {".npy", ids},
          {".h5", ids},        {".bin", truth},
          {".hdf5", results},  {".hdf5", [rows](auto& path) { write_set(path, set_of(rows)); }}};
}

TEST(Writers, LeaveTheOldFileOrSayThatTheNewOneIsInPlaceWhicheverCallFails) {
  const TemporaryFolder folder;
  const std::vector<Writer> larger = writers(20000);
  testing::internal::CaptureStderr();
  for (std::size_t i = 0; i < larger.size(); ++i) {
    const std::string path = folder.file("file" + larger[i].suffix);
    larger[i].write(path);
    const auto after = read_bytes(path);
    const auto write_old = [&] { writers(5)[i].write(path); };
    write_old();
    const auto before = read_bytes(path);
    const int calls = fail_each_call(
        i % 2 == 0 ? EIO : EDQUOT, [&] { larger[i].write(path); },
        [&](const std::string& message) {
          const bool in_place = message.empty() || message.find("is in place") != std::string::npos;
          EXPECT_THAT(message, AnyOf(IsEmpty(), StartsWith(path + ": ")));
          EXPECT_TRUE(read_bytes(path) == (in_place ? after : before)) << message;
          EXPECT_EQ(folder.entries(), 1U) << path << ", " << message;
          write_old();
        });
    EXPECT_GT(calls, 10) << path;
    std::filesystem::remove(path);
  }
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              IsEmpty());  // HDF5 keeps its errors to itself
}

TEST(Writers, NameThePathAndTheBytesThatAFullDiskLacks) {
  const TemporaryFolder folder;
  for (const Writer& writer : writers(200000)) {
    const std::string path = folder.file("file" + writer.suffix);
    std::string message;
    set_failure({Call::kWrite, ENOSPC});
    try {
      writer.write(path);
    } catch (const std::system_error& error) {
      message = error.what();
    }
    if (message.empty()) {  // HDF5 files are written at offsets
      set_failure({Call::kOverwrite, ENOSPC});
      EXPECT_THROW(writer.write(path), std::system_error);
    } else {
      EXPECT_THAT(message,
                  AllOf(StartsWith(path + ": cannot write: at least "),
                        HasSubstr(" bytes are needed, "), HasSubstr(" are free: No space")));
    }
    set_failure({});
    std::filesystem::remove(path);
    EXPECT_EQ(folder.entries(), 0U);
  }
}

TEST(Writers, TakeALimitOnFileSizesForAnError) {
  const TemporaryFolder folder;
  for (const Writer& writer : writers(20000)) {
    const std::string path = folder.file("file" + writer.suffix);
    const pid_t child = ::fork();
    if (child == 0) {
      const rlimit most{20000, 20000};
      if (::setrlimit(RLIMIT_FSIZE, &most) != 0) ::_exit(1);
      try {
        writer.write(path);
      } catch (const std::system_error& error) {
        ::_exit(error.code().value() == EFBIG ? 3 : 4);
      }
      ::_exit(2);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 3) << path << ", status " << status;
    EXPECT_EQ(folder.entries(), 0U);
  }
}

TEST(Writers, WriteTheSameBytesThroughAPipe) {
  const TemporaryFolder folder;
  for (const Writer& writer : writers(20000)) {
    const std::string file = folder.file("file" + writer.suffix);
    const std::string pipe = folder.file("pipe" + writer.suffix);
    writer.write(file);
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      ::execlp("cmp", "cmp", pipe.c_str(), file.c_str(), nullptr);
      ::_exit(3);
    }
    writer.write(pipe);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0) << file;
    std::filesystem::remove(file);
    std::filesystem::remove(pipe);
  }
}

TEST(Writers, StopWhenToldToAndLeaveNothing) {
  const TemporaryFolder folder;
  const Matrix<float> all = gaussian_vectors(2, std::size_t{1} << 20, 1);
  BenchmarkSet set;
  set.train = all;
  for (const double stop : {0.0, 0.5}) {
    const Progress progress = [&](std::string_view, double fraction) { return fraction < stop; };
    for (const std::string suffix : {".fvecs", ".npy", ".hdf5"}) {
      EXPECT_THROW(write_vectors(folder.file("file" + suffix), MatrixSource(all.view()),
                                 {.progress = progress}),
                   Cancelled);
    }
    EXPECT_THROW(write_set(folder.file("set.hdf5"), set, Stored::float32, progress), Cancelled);
    EXPECT_EQ(folder.entries(), 0U);
  }
}

TEST(Writers, TakeTheFormatThatIsAskedForWhereTheNameTellsNone) {
  const TemporaryFolder folder;
  const Matrix<float> all = gaussian_vectors(4, 3, 1);
  write_vectors(folder.file("a.npy"), MatrixSource(all.view()));
  write_vectors(folder.file("b"), MatrixSource(all.view()), {.format = ".npy"});
  EXPECT_EQ(read_bytes(folder.file("a.npy")), read_bytes(folder.file("b")));
  EXPECT_THROW(write_vectors(folder.file("c"), MatrixSource(all.view())), std::invalid_argument);
}

}  // namespace
}  // namespace obliq::datasets

// Many of a kind: idle threads that have searched, collections that are open in one process,
// processes that read while one writes.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/random.h"
#include "obliq/collection.h"
#include "storage/temporary_folder.h"
#include "tests/collection/memory_folder.h"
#include "tests/collection/vectors.h"

namespace obliq {
namespace {

namespace fs = std::filesystem;
using testing::ids_from;

constexpr std::size_t kDim = 8;
constexpr CollectionAccess kWriter = {.durability = Durability::none, .threads = 1};
constexpr CollectionAccess kReader = {.read_only = true, .threads = 1};

// Each id has one vector, whoever makes it.
Matrix<float> vectors_of(std::int64_t first, std::size_t n) {
  Matrix<float> vectors(n, kDim);
  for (std::size_t i = 0; i < n; ++i) {
    Random random(static_cast<std::uint64_t>(first) + i);
    for (std::size_t j = 0; j < kDim; ++j) {
      vectors.row(i)[j] = static_cast<float>(random.gaussian());
    }
  }
  return vectors;
}

void upsert(Collection& collection, std::int64_t first, std::size_t n) {
  const std::vector<std::int64_t> ids = ids_from(first, n);
  collection.upsert(vectors_of(first, n).view(), {ids.data(), n, 1});
}

// Whether a search of all finds the vector of this id.
bool finds(const Collection& collection, std::int64_t id) {
  const SearchOptions all = {.k = 1, .nprobe = 100000, .confidence = 1, .threads = 1};
  return collection.search(vectors_of(id, 1).view(), all).ids.values.front() == id;
}

class Crowds : public ::testing::Test {
 protected:
  static CollectionOptions options() { return testing::small_options(kDim); }
  std::string path(int number = 0) const { return folder_ / std::to_string(number); }

  // Files of the folder that this process maps or has open although their names are gone.
  std::vector<std::string> kept_files() const {
    std::vector<std::string> kept;
    const auto look = [&](const std::string& text) {
      const bool is_ours = text.find(folder_.path()) != std::string::npos;
      if (is_ours && text.find("(deleted)") != std::string::npos) kept.push_back(text);
    };
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) look(line);
    for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
      std::error_code closed_meanwhile;
      look(fs::read_symlink(entry, closed_meanwhile));
    }
    return kept;
  }
  TemporaryFolder folder_{testing::memory_folder()};
};

/// Threads that have searched once, and wait.
class IdleThreads {
 public:
  IdleThreads(std::size_t count, const Collection& collection) {
    for (std::size_t i = 0; i < count; ++i) {
      threads_.emplace_back([this, i, &collection] {
        const bool found = finds(collection, static_cast<std::int64_t>(i));
        std::unique_lock lock(mutex_);
        found_ += found ? 1 : 0;
        ++idle_;
        changed_.notify_all();
        changed_.wait(lock, [&] { return ends_; });
      });
    }
  }
  ~IdleThreads() {
    {
      const std::lock_guard lock(mutex_);
      ends_ = true;
      changed_.notify_all();
    }
    for (std::thread& thread : threads_) thread.join();
  }
  IdleThreads(const IdleThreads&) = delete;
  IdleThreads& operator=(const IdleThreads&) = delete;

  /// Returns how many have found their vector, once all are idle.
  std::size_t found() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return idle_ == threads_.size(); });
    return found_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t idle_ = 0;
  std::size_t found_ = 0;
  bool ends_ = false;
  std::vector<std::thread> threads_;
};

constexpr std::size_t kIdle = 64;

TEST_F(Crowds, ThreadsThatAreIdleKeepNoReplacedFile) {
  Collection writer = Collection::create(path(), options(), kWriter);
  upsert(writer, 0, 900);
  writer.compact();
  upsert(writer, 900, 50);
  Collection reader = Collection::open(path(), kReader);
  IdleThreads of_writer(kIdle, writer);
  IdleThreads of_reader(kIdle, reader);
  EXPECT_EQ(of_writer.found(), kIdle);
  EXPECT_EQ(of_reader.found(), kIdle);
  writer.compact();
  EXPECT_FALSE(kept_files().empty()) << "the reader has not looked again: the test sees nothing";
  reader.refresh();
  EXPECT_EQ(kept_files(), std::vector<std::string>());
  upsert(writer, 1000, 500);
  writer.wait();
  EXPECT_FALSE(writer.stats().is_exact);
  IdleThreads of_trained(kIdle, writer);
  EXPECT_EQ(of_trained.found(), kIdle);
  writer.train();
  writer.close();
  reader.refresh();
  EXPECT_EQ(kept_files(), std::vector<std::string>());
  EXPECT_TRUE(finds(reader, 1200));
  EXPECT_TRUE(finds(writer, 1200));
}

// As many files as the system lets a process open; with these so many collections, 1,000 at most.
int affordable_collections() {
  constexpr rlim_t kFilesOfOne = 4;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 100;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 10000);
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<int>(std::clamp<rlim_t>(limit.rlim_cur / kFilesOfOne, 100, 1000));
}

std::size_t thread_count() {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator("/proc/self/task"), fs::directory_iterator()));
}

TEST_F(Crowds, CollectionsShareFewThreads) {
  constexpr std::size_t kMostThreads = 8;
  constexpr int kTrained = 8;
  const int count = affordable_collections();
  const std::size_t before = thread_count();
  std::vector<Collection> collections;
  CollectionAccess access = kWriter;
  for (int i = 0; i < count; ++i) {
    access.durability = i % 2 == 0 ? Durability::none : Durability::interval;
    collections.push_back(Collection::create(path(i), options(), access));
    upsert(collections.back(), i, i % (count / kTrained) == 0 ? 1000 : 10);
  }
  EXPECT_LE(thread_count(), before + kMostThreads);
  for (int i = 0; i < count; ++i) {
    ASSERT_NO_THROW(collections[i].wait());
    ASSERT_TRUE(finds(collections[i], i + 5)) << i;
    collections[i].compact();
    ASSERT_EQ(collections[i].stats().is_exact, i % (count / kTrained) != 0);
  }
  EXPECT_LE(thread_count(), before + kMostThreads);
}

constexpr std::size_t kAlways = 50;  // ids 0 .. are there all the time
constexpr std::size_t kBatch = 40;   // of which all are seen or none
constexpr std::size_t kBatches = 30;

// Looks again and again until the other end of the pipe is closed. Returns what was wrong.
int read_until_closed(const std::string& path, bool follows, int pipe) {
  CollectionAccess access = kReader;
  access.follow = follows ? .01 : 0;
  Collection reader = Collection::open(path, access);
  pollfd end = {pipe, POLLIN, 0};
  std::size_t before = 0;
  for (std::int64_t round = 0; ::poll(&end, 1, 2) == 0; ++round) {
    if (!follows) reader.refresh();
    const std::size_t count = reader.count();
    if (count < before || (count - kAlways) % kBatch != 0) return 2;
    before = count;
    if (!finds(reader, round % static_cast<std::int64_t>(kAlways))) return 3;
  }
  reader.refresh();
  return finds(reader, 1000) && finds(reader, 1000 + kBatches * kBatch - 1) ? 0 : 4;
}

int read_in_child(const std::string& path, bool follows, const std::array<int, 2>& pipe) {
  ::alarm(300);
  ::close(pipe[1]);
  try {
    return read_until_closed(path, follows, pipe[0]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "a reader failed: %s\n", error.what());
    return 1;
  }
}

TEST_F(Crowds, ProcessesReadWhileOneWrites) {
  constexpr int kReaders = 24;
  Collection writer = Collection::create(path(), options(), kWriter);
  upsert(writer, 0, kAlways);
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  std::vector<pid_t> readers;
  for (int i = 0; i < kReaders; ++i) {
    readers.push_back(::fork());
    if (readers.back() == 0) ::_exit(read_in_child(path(), i % 2 != 0, pipe));
  }
  for (std::size_t batch = 0; batch < kBatches; ++batch) {
    upsert(writer, 1000 + static_cast<std::int64_t>(batch * kBatch), kBatch);
    if (batch % 3 == 2) writer.compact();
  }
  EXPECT_NO_THROW(writer.wait());
  EXPECT_FALSE(writer.stats().is_exact);
  ::close(pipe[1]);
  for (const pid_t reader : readers) {
    int status = -1;
    EXPECT_EQ(::waitpid(reader, &status, 0), reader);
    EXPECT_EQ(status, 0);
  }
  ::close(pipe[0]);
}

}  // namespace
}  // namespace obliq

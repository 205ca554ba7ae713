// kill -9 at any moment of changes, compactions, trainings, exports and openings: what was
// acknowledged is there, the change on its way is there or not, and the collection opens; so does
// an index that was exported. OBLIQ_CRASH_CYCLES sets how many processes are killed,
// OBLIQ_CRASH_SEED other changes and moments.
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "storage/file_descriptor.h"
#include "storage/temporary_folder.h"
#include "tests/collection/crash_script.h"
#include "tests/collection/memory_folder.h"
#include "tests/index/columns/column_cases.h"

namespace obliq::testing {
namespace {

// What a process told before it was killed.
struct Told {
  std::optional<std::size_t> begun;
  std::optional<std::size_t> made;
  int status = 0;
};

std::string read_all(int fd) {
  std::string text;
  std::array<char, 4096> piece;
  for (ssize_t count = 0; (count = ::read(fd, piece.data(), piece.size())) > 0;) {
    text.append(piece.data(), static_cast<std::size_t>(count));
  }
  return text;
}

Told parse(const std::string& text) {
  Told told;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    if (end == std::string::npos) break;
    const std::size_t number = std::stoul(text.substr(at + 1, end - at - 1));
    (text[at] == 'b' ? told.begun : told.made) = number;
    at = end + 1;
  }
  return told;
}

// Runs the writer and kills it after some time.
Told run_and_kill(const std::string& path, std::uint64_t seed, const char* durability,
                  std::chrono::microseconds after) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) ADD_FAILURE() << "no pipe";
  FileDescriptor in(ends[0]);
  FileDescriptor out(ends[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, out.get(), STDOUT_FILENO);
  posix_spawn_file_actions_addclose(&actions, in.get());
  const std::string number = std::to_string(seed);
  std::string program = OBLIQ_CRASH_WRITER;
  const char* arguments[] = {program.c_str(), path.c_str(), number.c_str(), durability, nullptr};
  pid_t process = 0;
  const int failed = ::posix_spawn(&process, program.c_str(), &actions, nullptr,
                                   const_cast<char**>(arguments), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) ADD_FAILURE() << "cannot start " << program;
  out.close();
  std::this_thread::sleep_for(after);
  ::kill(process, SIGKILL);
  Told told = parse(read_all(in.get()));
  ::waitpid(process, &told.status, 0);
  return told;
}

// Whether the collection holds what the map does.
::testing::AssertionResult holds(const Collection& collection, const CrashMap& map) {
  if (collection.count() != map.size()) {
    return ::testing::AssertionFailure() << collection.count() << " vectors, not " << map.size();
  }
  std::vector<std::int64_t> ids;
  for (const auto& [id, row] : map) {
    if (!collection.contains(id)) return ::testing::AssertionFailure() << "no id " << id;
    ids.push_back(id);
  }
  Matrix<float> vectors(ids.size(), kCrashDim);
  collection.get(ids, vectors.values.data());
  const Columns columns = collection.get_columns(ids);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    float error = 0;
    for (std::size_t j = 0; j < kCrashDim; ++j) {
      const float difference = vectors.row(i)[j] - map.at(ids[i]).vector[j];
      error += difference * difference;
    }
    // Codes of 8 bits in up to some hundred generations; another vector is at 16, on average.
    if (error > 0.5F)
      return ::testing::AssertionFailure() << "id " << ids[i] << " off by " << error;
    const Columns wanted = crash_columns({map.at(ids[i]).mark});
    for (std::size_t c = 0; c < columns.size(); ++c) {
      if (const auto same = same_value(columns[c], i, wanted[c], 0); !same) return same;
    }
  }
  return ::testing::AssertionSuccess();
}

std::size_t cycles() {
  const char* asked = std::getenv("OBLIQ_CRASH_CYCLES");
  return asked == nullptr ? 40 : std::strtoul(asked, nullptr, 10);
}

std::uint64_t seed() {
  const char* asked = std::getenv("OBLIQ_CRASH_SEED");
  return asked == nullptr ? 11 : std::strtoull(asked, nullptr, 10);
}

// An export is there whole or not at all.
void check_export(const std::string& path) {
  const std::string index = crash_export(path);
  if (!std::filesystem::exists(index)) return;
  EXPECT_NO_THROW(Index::open(index, {.verify = true}));
  std::filesystem::remove(index);
}

TEST(Crash, LosesNothingAcknowledgedWhenAWriterIsKilled) {
  const TemporaryFolder folder(memory_folder());
  const std::string path = folder.path() + "/c";
  Collection::create(path, crash_options());
  CrashMap map;
  Random random(seed());
  std::size_t killed_within = 0;
  for (std::size_t cycle = 0; cycle < cycles(); ++cycle) {
    if (cycle % 200 == 199) {  // from an empty one again
      std::filesystem::remove_all(path);
      Collection::create(path, crash_options());
      map.clear();
    }
    const std::chrono::microseconds after(20000 + random.below(200000));
    const Told told = run_and_kill(path, seed() + cycle, cycle % 2 == 0 ? "every" : "none", after);
    const ::testing::ScopedTrace trace(__FILE__, __LINE__,
                                       "OBLIQ_CRASH_SEED=" + std::to_string(seed()));
    ASSERT_TRUE(WIFSIGNALED(told.status)) << "cycle " << cycle << ": it ended by itself";
    CrashScript script(seed() + cycle);
    const std::size_t made = told.made ? *told.made + 1 : 0;
    for (std::size_t i = 0; i < made; ++i) make_in(script.next(), map);
    const Collection collection = Collection::open(path, {.read_only = cycle % 3 == 0});
    check_export(path);
    const ::testing::AssertionResult as_told = holds(collection, map);
    if (as_told) continue;
    ASSERT_TRUE(told.begun && *told.begun == made)
        << "cycle " << cycle << ": " << as_told.message();
    ++killed_within;
    make_in(script.next(), map);
    ASSERT_TRUE(holds(collection, map)) << "cycle " << cycle << ", before: " << as_told.message();
  }
  RecordProperty("cycles", static_cast<int>(cycles()));
  RecordProperty("killed_within_a_change", static_cast<int>(killed_within));
}

}  // namespace
}  // namespace obliq::testing

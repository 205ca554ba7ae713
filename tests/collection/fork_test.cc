// Collections and children of the process: what the parent opened is not theirs, and those that
// they make have a background of their own.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>

#include "core/random.h"
#include "obliq/collection.h"
#include "tests/collection/memory_folder.h"
#include "tests/storage/files.h"

namespace obliq {
namespace {

constexpr std::size_t kDim = 8;
constexpr CollectionAccess kAlone = {.durability = Durability::none, .threads = 1};

Matrix<float> random_vectors(std::size_t n) {
  Random random(1);
  Matrix<float> vectors(n, kDim);
  for (float& x : vectors.values) x = static_cast<float>(random.gaussian());
  return vectors;
}

CollectionOptions small_options() {
  CollectionOptions options;
  options.dim = kDim;
  options.train_at = 1000;
  return options;
}

// What a child returned; -1 where it was killed, as it is when it hangs.
template <typename Work>
int in_child(const Work& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(120);
    ::_exit(work());
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

template <typename Call>
bool is_refused(const Call& call) {
  try {
    call();
  } catch (const std::invalid_argument& error) {
    return std::string(error.what()).find("parent process") != std::string::npos;
  }
  return false;
}

// The bytes of the only log in the folder.
std::string log_of(const std::string& folder) {
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (!entry.path().filename().string().starts_with("log-")) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  return {};
}

class ForkTest : public ::testing::Test {
 protected:
  std::string path() const { return folder_.path() + "/c"; }
  TemporaryFolder folder_{testing::memory_folder()};
};

TEST_F(ForkTest, AChildChangesNothingOfItsParents) {
  const Matrix<float> vectors = random_vectors(20);
  auto collection =
      std::make_unique<Collection>(Collection::create(path(), small_options(), kAlone));
  collection->add(vectors.view().slice(0, 10));
  const std::string before = log_of(path());
  ASSERT_FALSE(before.empty());
  const int wrong = in_child([&] {
    int calls = 0;
    calls += is_refused([&] { collection->add(vectors.view()); }) ? 0 : 1;
    calls += is_refused([&] { collection->wait(); }) ? 0 : 2;
    calls += is_refused([&] { collection->close(); }) ? 0 : 4;
    collection.reset();
    return calls;
  });
  EXPECT_EQ(wrong, 0);
  EXPECT_TRUE(log_of(path()) == before) << "the child wrote to the log";
  EXPECT_THROW(Collection::open(path()), std::runtime_error);  // the lock is held
  collection->add(vectors.view().slice(10, 10));
  collection.reset();
  const Collection opened = Collection::open(path());
  EXPECT_EQ(opened.count(), 20U);
  EXPECT_NO_THROW(opened.verify());
}

TEST_F(ForkTest, AChildHasABackgroundOfItsOwn) {
  const Matrix<float> vectors = random_vectors(2000);
  const auto is_trained = [&](const std::string& name) {
    Collection grown = Collection::create(folder_.path() + name, small_options(), kAlone);
    grown.add(vectors.view());
    grown.wait();
    return !grown.stats().is_exact;
  };
  EXPECT_TRUE(is_trained("/parent"));
  EXPECT_EQ(in_child([&] { return is_trained("/child") ? 0 : 1; }), 0);
}

}  // namespace
}  // namespace obliq

// Readers, a writer and steps in the background at once: what is there stays there, what is gone
// stays gone, and of a batch, or an update, all is seen or nothing. OBLIQ_MEETING_SECONDS goes on
// for so long.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "core/random.h"
#include "obliq/collection.h"
#include "storage/temporary_folder.h"
#include "tests/collection/memory_folder.h"

namespace obliq {
namespace {

constexpr std::size_t kDim = 8;
constexpr std::size_t kAlways = 60;   // ids 0 .. are there all the time
constexpr std::size_t kGone = 60;     // ids kAlways .. are removed before all begins
constexpr std::size_t kPairs = 1500;  // ids from kFirstPair on, two of the same vector
constexpr std::int64_t kFirstPair = 1000;

class Meeting : public ::testing::Test {
 protected:
  Meeting() : seed_(std::random_device()()), vectors_(kAlways + kGone + kPairs, kDim) {
    Random random(seed_);
    for (float& x : vectors_.values) x = static_cast<float>(random.gaussian());
  }
  void SetUp() override {
    CollectionOptions options;
    options.dim = kDim;
    options.train_at = 1000;
    options.columns = {{"mark", ColumnType::int64}};
    CollectionAccess access;
    access.durability = Durability::none;
    access.threads = 1;
    collection_.emplace(Collection::create(folder_.path() + "/c", options, access));
    collection_->add(vectors_.view().slice(0, kAlways + kGone));
    std::vector<std::int64_t> gone;
    for (std::size_t i = 0; i < kGone; ++i) gone.push_back(static_cast<std::int64_t>(kAlways + i));
    collection_->remove(gone);
  }
  const float* pair_vector(std::size_t pair) const { return vectors_.row(kAlways + kGone + pair); }
  static std::pair<std::int64_t, std::int64_t> ids_of(std::size_t pair) {
    const auto first = kFirstPair + 2 * static_cast<std::int64_t>(pair);
    return {first, first + 1};
  }

  // All pairs or, for a longer meeting, from the first one again.
  void write() {
    using Clock = std::chrono::steady_clock;
    const char* seconds = std::getenv("OBLIQ_MEETING_SECONDS");
    const auto end =
        Clock::now() + std::chrono::seconds(seconds == nullptr ? 0 : std::atol(seconds));
    for (std::uint64_t round = 1; round == 1 || Clock::now() < end; ++round) {
      write_pairs(seed_ + 1000 * round);
    }
    ends_ = true;
  }
  void write_pairs(std::uint64_t seed) {
    Random random(seed);
    for (std::size_t pair = 0; pair < kPairs; ++pair) {
      Matrix<float> both(2, kDim);
      for (std::size_t i = 0; i < 2; ++i) {
        std::copy_n(pair_vector(pair), kDim, both.row(i));
      }
      const auto [first, second] = ids_of(pair);
      const std::int64_t ids[] = {first, second};
      collection_->upsert(both.view(), {ids, 2, 1});
      if (pair % 8 == 0) update_all(static_cast<std::int64_t>(pair));
      if (random.below(4) != 0) continue;
      const auto [other, another] = ids_of(random.below(pair + 1));
      const std::int64_t gone[] = {other, another};
      collection_->remove(gone);
    }
  }
  // Those that are always there get the same mark.
  void update_all(std::int64_t mark) {
    std::vector<std::int64_t> ids;
    ColumnValues marks({"mark", ColumnType::int64});
    for (std::size_t i = 0; i < kAlways; ++i) {
      ids.push_back(static_cast<std::int64_t>(i));
      marks.add(mark);
    }
    collection_->update(ids, std::vector{marks});
  }
  void read(std::uint64_t seed) {
    Random random(seed);
    SearchOptions all;
    all.k = 2;
    all.nprobe = 100000;
    all.confidence = 1;
    all.threads = 1;
    while (!ends_) {
      const std::size_t row = random.below(kAlways);
      const SearchResult found = collection_->search(vectors_.view().slice(row, 1), all);
      if (found.ids.values[0] != static_cast<std::int64_t>(row)) ++wrong_;
      for (const std::int64_t id : found.ids.values) {
        const auto number = static_cast<std::size_t>(id);
        if (number >= kAlways && number < kAlways + kGone) ++wrong_;
      }
      if (!collection_->contains(static_cast<std::int64_t>(row))) ++wrong_;
      const std::int64_t some[] = {0, static_cast<std::int64_t>(row)};
      const Columns marks = collection_->get_columns(some);
      if (marks[0].integer(0) != marks[0].integer(1)) ++wrong_;
      const std::size_t pair = random.below(kPairs);
      const SearchResult two = collection_->search({pair_vector(pair), 1, kDim}, all);
      const auto [first, second] = ids_of(pair);
      const bool has_first = two.ids.values[0] == first || two.ids.values[1] == first;
      const bool has_second = two.ids.values[0] == second || two.ids.values[1] == second;
      if (has_first != has_second) ++wrong_;
    }
  }
  void maintain() {
    Random random(seed_ + 2);
    while (!ends_) {
      std::this_thread::sleep_for(std::chrono::milliseconds(random.below(30)));
      random.below(2) == 0 ? collection_->compact() : collection_->sync();
      (void)collection_->stats();
    }
  }

  const std::uint64_t seed_;
  Matrix<float> vectors_;
  TemporaryFolder folder_{testing::memory_folder()};
  std::optional<Collection> collection_;
  std::atomic<bool> ends_ = false;
  std::atomic<std::size_t> wrong_ = 0;
};

TEST_F(Meeting, ReadersNeverSeeWhatIsNotSo) {
  std::vector<std::thread> threads;
  threads.emplace_back([&] { write(); });
  threads.emplace_back([&] { maintain(); });
  for (std::uint64_t i = 0; i < 2; ++i) threads.emplace_back([&, i] { read(seed_ + 10 + i); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong_, 0U) << "seed " << seed_;
  collection_->wait();
  EXPECT_FALSE(collection_->stats().is_exact);
}

}  // namespace
}  // namespace obliq

// What a step in the background writes of changes that are not synced yet: nothing that outlives
// them.
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "collection/directory.h"
#include "obliq/collection.h"
#include "storage/log_layout.h"
#include "storage/temporary_folder.h"
#include "tests/collection/memory_folder.h"
#include "tests/collection/vectors.h"

namespace obliq {
namespace {

constexpr std::size_t kDim = 4;

// Cuts the newest log to what its slots say is on the disk, as a power failure may.
void cut_to_synced(const std::string& path) {
  const CollectionDirectory directory(path);
  const std::string log = directory.log(directory.logs_from(0).back());
  std::vector<std::byte> bytes(kLogHeadBytes);
  std::ifstream(log, std::ios::binary)
      .read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  LogHeader header{};
  std::memcpy(&header, bytes.data(), sizeof header);
  const LogHead head = check_log_head(log, bytes, header.owner);
  std::filesystem::resize_file(log, head.slots[head.newest()].bytes);
}

// A merge that ends after an upsert knows which rows are gone. They may not go without the vectors
// that took their place.
TEST(UnsyncedChanges, AreThereWholeOrNotAtAllAfterAMergeAndAPowerFailure) {
  const TemporaryFolder folder(testing::memory_folder());
  const std::string path = folder / "c";
  CollectionOptions options;
  options.dim = kDim;
  options.train_at = 10'000'000;
  (void)Collection::create(path, options);
  for (std::int64_t part = 0; part < 4; ++part) {  // files of like size
    CollectionAccess access;
    access.background_rate = 1;  // so slow that closing stops the merge
    Collection collection = Collection::open(path, access);
    testing::upsert(collection, 1000 * part, 1000);
  }
  CollectionAccess access;
  access.durability = Durability::none;
  access.background_rate = 200'000;
  Collection collection = Collection::open(path, access);
  ASSERT_EQ(collection.stats().segments, 4U);
  testing::upsert(collection, 0, 10, 2);
  collection.wait();
  ASSERT_LE(collection.stats().segments, 2U);
  std::filesystem::copy(path, folder / "after");
  cut_to_synced(folder / "after");
  EXPECT_EQ(Collection::open(folder / "after").count(), 4000U);
}

}  // namespace
}  // namespace obliq

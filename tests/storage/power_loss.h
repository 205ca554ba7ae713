// What the tests of power failures write, and how they play it.
#pragma once

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "storage/log_writer.h"
#include "storage/write_all.h"
#include "tests/storage/crash_states.h"
#include "tests/storage/damage.h"
#include "tests/storage/log_image.h"

namespace obliq {

inline constexpr std::uint64_t kOwner = 5;
inline const Bytes kOld = counting_bytes(1000);
inline const Bytes kNew = counting_bytes(9001);

/// Record number i + 1 of the logs; of some sizes, up to several sectors.
inline LogRecord record(std::size_t i) {
  constexpr std::size_t kSizes[] = {9, 700, 0, 1500, 488, 40};
  return {static_cast<std::uint8_t>(i), counting_bytes(kSizes[i % std::size(kSizes)])};
}

inline LogRecords records_of(std::size_t count) {
  LogRecords records;
  for (std::size_t i = 0; i < count; ++i) records.push_back(record(i));
  return records;
}

inline void append(LogWriter& log, std::size_t i) {
  const LogRecord next = record(i);
  EXPECT_EQ(log.append(next.type, next.payload), i + 1);
}

inline FileDescriptor open_to_write(const std::string& path) {
  return FileDescriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
}

inline void sync_folder(const std::string& path) {
  const FileDescriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  EXPECT_EQ(::fsync(folder.get()), 0);
}

/// What a log is called that begins with this record.
inline std::string log_name(std::uint64_t first_seq) { return fmt::format("log-{:03}", first_seq); }

/// Paths of the logs of a folder, in the order of their records.
inline std::vector<std::string> logs_of(const std::string& folder) {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().filename().string().starts_with("log-")) paths.push_back(entry.path());
  }
  std::ranges::sort(paths);
  return paths;
}

/// A log with two synced records, a third of which a sector is lost, and a whole fourth: what a
/// power failure may leave. Returns the offset of the third.
inline std::uint64_t write_log_with_hole(const std::string& folder) {
  LogWriter log = LogWriter::create(folder, "log", kOwner, 1);
  append(log, 0);
  append(log, 1);
  log.sync();
  const std::uint64_t third = log.next().offset;
  log.append(2, counting_bytes(2000));
  log.append(3, counting_bytes(2000));
  const Bytes lost(512);
  EXPECT_EQ(write_all_at(open_to_write(folder + "/log").get(), third + 1000, lost), 0);
  return third;
}

class PowerLoss : public ::testing::Test {
 protected:
  std::string path(const std::string& name = "log") const { return folder_ / name; }

  /// Records `calls`, and checks what is left of them; returns the number of states.
  std::size_t play(const std::function<void(SimulatedDisk&)>& calls, std::size_t count,
                   const std::function<void(const CrashState&)>& check) const {
    SimulatedDisk disk(folder_.path());
    calls(disk);
    return for_each_crash_state(disk.stop(), crash_state_count(count), crash_seed(), check);
  }

  TemporaryFolder folder_ = fast_folder();
};

}  // namespace obliq

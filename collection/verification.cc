// What the newest manifest names is opened with every checksum, then the logs behind it are read as
// they are replayed, their changes decoded. A writer may commit meanwhile and remove files: then
// all begins again with the newer manifest, and what was read counts towards the limit all the
// same.
#include "collection/verification.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>

#include "collection/background.h"
#include "collection/batch_record.h"
#include "collection/logs.h"
#include "collection/store.h"
#include "core/stage_progress.h"

namespace obliq {
namespace {

std::uint64_t size_of(const std::string& path) {
  std::error_code gone;
  const std::uint64_t bytes = std::filesystem::file_size(path, gone);
  return gone ? 0 : bytes;
}

// Of the files that a manifest names and of the logs.
std::uint64_t bytes_to_read(const CollectionDirectory& directory) {
  const std::uint64_t version = directory.newest_manifest();
  if (version == 0) return 0;  // opening tells it
  const Manifest manifest = read_manifest(directory, version);
  std::uint64_t bytes = 0;
  for (const SegmentEntry& entry : manifest.segments) {
    bytes += entry.bytes;
    if (manifest.info.ids != 0) bytes += size_of(directory.keys(entry.number));
  }
  if (manifest.info.model != 0) bytes += size_of(directory.model(manifest.info.model));
  for (const std::uint64_t log : directory.logs_from(manifest.info.first_log)) {
    bytes += size_of(directory.log(log));
  }
  return bytes;
}

/// Counts bytes as they are read, tells how far it has come, and waits where they come too fast.
class Pace {
 public:
  Pace(double bytes_per_second, const Progress& progress)
      : bytes_per_second_(bytes_per_second), progress_(progress) {}

  void begin(std::uint64_t total) {
    total_ = static_cast<double>(total);
    done_ = 0;
    path_.clear();
  }
  /// A file of which a share is read.
  void read_share(const std::string& path, double share) {
    if (path != path_) {
      path_ = path;
      share_ = 0;
      bytes_ = static_cast<double>(size_of(path));
    }
    read((share - share_) * bytes_);
    share_ = share;
  }
  void read(double bytes) {
    done_ += bytes;
    all_ += bytes;
    tell();
    if (!(bytes_per_second_ > 0)) return;
    const auto until = start_ + bounded_duration(all_ / bytes_per_second_);
    while (Clock::now() < until) {
      std::this_thread::sleep_until(std::min(until, Clock::now() + kLongestSleep));
      tell();
    }
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kLongestSleep{100};  // until it can be cancelled

  void tell() const {
    report(progress_, "verify", total_ > 0 ? std::min(1.0, done_ / total_) : 1.0);
  }

  const double bytes_per_second_;
  const Progress& progress_;
  const Clock::time_point start_ = Clock::now();
  double total_ = 0;
  double done_ = 0;
  double all_ = 0;  // of earlier attempts, too
  std::string path_;
  double share_ = 0;
  double bytes_ = 0;
};

void check_segment(const CollectionDirectory& directory, const StoredCollection& stored,
                   std::span<const std::byte> payload, const FileCheck& check) {
  const SegmentRecord record = read_segment_record(payload, *stored.model.model);
  const PartKind kind = {stored.manifest.info, *stored.manifest.schema, stored.model.model};
  (void)open_logged_part(directory, record, kind, check);
}

// Whether a payload is a change that the collection can replay. Throws std::runtime_error.
void check_change(const StoredCollection& stored, std::uint8_t type,
                  std::span<const std::byte> payload) {
  const std::optional<BatchKind> kind = batch_kind(type);
  const bool has_keys = stored.manifest.info.ids != 0;
  if (type == static_cast<std::uint8_t>(ChangeKind::remove)) {
    (void)read_removal(payload);
  } else if (kind && kind->has_keys == has_keys && stored.model.model != nullptr) {
    (void)read_batch(payload, *stored.model.model, *stored.manifest.schema, *kind);
  } else {
    throw std::runtime_error(fmt::format("it is of the unknown kind {}", type));
  }
}

}  // namespace

void verify_collection(const CollectionDirectory& directory, const VerifyOptions& options) {
  if (!(options.bytes_per_second >= 0)) {
    throw std::invalid_argument(fmt::format(
        "a rate of {} bytes per second: give more, or 0 for no limit", options.bytes_per_second));
  }
  StageProgress stages(options.progress);
  const Progress progress = stages.callback();
  Pace pace(options.bytes_per_second, progress);
  const FileCheck check = [&](const std::string& path, double share) {
    pace.read_share(path, share);
  };
  while_files_change(directory, [&] {
    pace.begin(bytes_to_read(directory));
    const StoredCollection stored = open_stored(directory, check);
    const bool has_model = stored.model.model != nullptr;
    (void)read_logs(
        directory, stored.manifest.info,
        [&](std::uint64_t /*seq*/, std::uint8_t type, std::span<const std::byte> payload) {
          pace.read(static_cast<double>(payload.size()));
          if (has_model && type == static_cast<std::uint8_t>(ChangeKind::add_segment)) {
            return check_segment(directory, stored, payload, check);
          }
          check_change(stored, type, payload);
        });
  });
  stages.end();
}

}  // namespace obliq

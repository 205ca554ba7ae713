// First all files that the newest manifest names are opened, and the logs behind it read to their
// ends; if it is still the newest then, they belong together, and what is open stays readable
// whatever the writer removes. Else this begins again. Then they are linked or copied, the logs up
// to their last whole record, and the manifest last: a backup that is killed is none.
#include "collection/backup.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>

#include "collection/batch_record.h"
#include "collection/logs.h"
#include "collection/store.h"
#include "core/stage_progress.h"
#include "storage/atomic_file.h"
#include "storage/file_error.h"
#include "storage/input_file.h"
#include "storage/log_layout.h"

namespace obliq {
namespace {

constexpr std::uint64_t kCopyBytes = std::uint64_t{1} << 20;  // at a time

struct Sources {
  std::vector<InputFile> files;  // that never change; the manifest last
  std::vector<ReadLog> logs;
};

Sources open_sources(const CollectionDirectory& directory) {
  const std::uint64_t version = directory.newest_manifest();
  if (version == 0) {
    throw std::runtime_error(fmt::format("{}: it holds no collection", directory.path()));
  }
  Sources sources;
  const Manifest manifest = read_manifest(directory, version);
  if (manifest.info.model != 0) sources.files.emplace_back(directory.model(manifest.info.model));
  for (const SegmentEntry& entry : manifest.segments) {
    sources.files.emplace_back(directory.segment(entry.number));
    if (manifest.info.ids != 0) sources.files.emplace_back(directory.keys(entry.number));
    if (entry.deleted_version == 0) continue;
    sources.files.emplace_back(directory.deleted(entry.number, entry.deleted_version));
  }
  // A log may name a segment, too.
  const auto take = [&](std::uint64_t, std::uint8_t type, std::span<const std::byte> payload) {
    SegmentRecord record;
    if (type != static_cast<std::uint8_t>(ChangeKind::add_segment)) return;
    if (payload.size() != sizeof record) throw std::runtime_error("a record of a wrong size");
    std::memcpy(&record, payload.data(), sizeof record);
    sources.files.emplace_back(directory.segment(record.number));
    if (manifest.info.ids != 0) sources.files.emplace_back(directory.keys(record.number));
  };
  sources.logs = read_logs(directory, manifest.info, take);
  sources.files.emplace_back(directory.manifest(version));
  if (directory.newest_manifest() != version) {
    throw std::runtime_error(directory.path() + ": it changes");  // so it is read again
  }
  return sources;
}

/// Copies bytes and tells how many.
class Copier {
 public:
  Copier(const Sources& sources, const Progress& progress) : progress_(progress) {
    for (const InputFile& file : sources.files) total_ += file.size();
    for (const ReadLog& log : sources.logs) total_ += log.end.next.offset;
  }

  void copy(const InputFile& from, const std::string& to) {
    AtomicFile file(to);
    file.expect(from.size());
    append(from, 0, from.size(), file);
    file.commit();
  }

  // A log of the same records, whose slots say that it is whole.
  void copy(const ReadLog& log, const std::string& to) {
    const InputFile& from = log.reader.file();
    LogHeader header{};
    from.read(0, std::as_writable_bytes(std::span(&header, 1)), "header");
    auto head = make_log_head(header.random, header.first_seq, header.owner);
    const LogPlace end = log.end.next;
    for (const std::size_t number : {0, 1}) {
      const LogSlot slot = sealed_slot(end.seq - 1, end.offset, header.random, number);
      std::memcpy(head.data() + slot_offset(number), &slot, sizeof slot);
    }
    AtomicFile file(to);
    file.expect(end.offset);
    file.append(head);
    append(from, kLogHeadBytes, end.offset, file);
    file.commit();
  }

  /// As many bytes are done.
  void pass(std::uint64_t bytes) {
    done_ += bytes;
    const double share = static_cast<double>(done_) / static_cast<double>(total_);
    report(progress_, "files", std::min(share, 1.0));
  }

 private:
  void append(const InputFile& from, std::uint64_t begin, std::uint64_t end, AtomicFile& to) {
    buffer_.resize(kCopyBytes);
    while (begin < end) {
      const auto some =
          std::span(buffer_).first(std::min<std::uint64_t>(end - begin, buffer_.size()));
      from.read(begin, some, "bytes to copy");
      to.append(some);
      begin += some.size();
      pass(some.size());
    }
  }

  const Progress& progress_;
  std::uint64_t total_ = 0;
  std::uint64_t done_ = 0;
  std::vector<std::byte> buffer_;
};

/// Files in a folder, which go again unless they are kept.
class NewFiles {
 public:
  explicit NewFiles(std::string folder) : folder_(std::move(folder)) {
    std::error_code error;
    made_ = !std::filesystem::exists(folder_, error);
    make_folder(folder_);
  }
  ~NewFiles() {
    for (const std::string& path : paths_) (void)::unlinkat(AT_FDCWD, path.c_str(), 0);
    if (made_) (void)::unlinkat(AT_FDCWD, folder_.c_str(), AT_REMOVEDIR);
  }
  NewFiles(const NewFiles&) = delete;
  NewFiles& operator=(const NewFiles&) = delete;

  /// The path there of a file of this name.
  const std::string& add(const std::string& path) {
    return paths_.emplace_back(
        fmt::format("{}/{}", folder_, std::filesystem::path(path).filename().string()));
  }
  void keep() {
    paths_.clear();
    made_ = false;
  }

 private:
  std::string folder_;
  bool made_ = false;
  std::vector<std::string> paths_;
};

}  // namespace

void back_up(const CollectionDirectory& from, const std::string& folder, const Progress& progress) {
  Sources sources;
  while_files_change(from, [&] { sources = open_sources(from); });
  StageProgress stages(progress);
  const Progress own = stages.callback();
  Copier copier(sources, own);
  NewFiles made(folder);
  for (const ReadLog& log : sources.logs) copier.copy(log, made.add(log.reader.path()));
  for (const InputFile& file : sources.files) {
    const std::string& to = made.add(file.path());
    const bool is_manifest = &file == &sources.files.back();
    std::error_code error;
    if (is_manifest) sync_folder_of(to);  // links reach the disk before what names them
    if (!is_manifest) std::filesystem::create_hard_link(file.path(), to, error);
    if (is_manifest || error) {
      copier.copy(file, to);
    } else {
      copier.pass(file.size());
    }
  }
  made.keep();
  stages.end();
}

}  // namespace obliq

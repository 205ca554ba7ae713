#include "tests/storage/simulated_disk.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace obliq {

using Kind = DiskOperation::Kind;

FolderMirror::FolderMirror(std::string folder) : folder_(std::move(folder)) {
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    names_[entry.path().filename().string()] = static_cast<int>(files_.size());
    files_.push_back(read_bytes(entry.path().string()));
  }
}

void FolderMirror::note(int number) {
  operations_.push_back({.kind = Kind::note, .noted = number});
}

void FolderMirror::forget_operations() {
  operations_.clear();
  for (const int file : nameless_) files_[file] = {};
  nameless_.clear();
}

void FolderMirror::require_truth() const {
  const FolderMirror there(folder_);
  const auto same = [&](const auto& mine, const auto& theirs) {
    return mine.first == theirs.first && files_[mine.second] == there.files_[theirs.second];
  };
  if (std::ranges::equal(names_, there.names_, same)) return;
  throw std::logic_error(folder_ + " was changed by calls that failing_calls.cc does not see");
}

bool FolderMirror::is_this_folder(const std::string& path) const {
  struct stat mine {};
  struct stat theirs {};
  return ::stat(folder_.c_str(), &mine) == 0 && ::stat(path.c_str(), &theirs) == 0 &&
         mine.st_dev == theirs.st_dev && mine.st_ino == theirs.st_ino;
}

/// Empty: not a file in this folder.
std::string FolderMirror::name_of(int folder, const char* path) const {
  const std::string_view text(path);
  const std::size_t slash = text.rfind('/');
  const std::string_view name = slash == text.npos ? text : text.substr(slash + 1);
  if (name == "." || name == "..") return {};
  bool here = open_folders_.contains(folder);
  if (slash != text.npos) {
    here = is_this_folder(std::string(text.substr(0, slash)));
  } else if (folder == AT_FDCWD) {
    here = is_this_folder(".");
  }
  return here ? std::string(name) : std::string();
}

/// Less than 0: not a file in this folder.
int FolderMirror::file_of(int fd) const {
  const auto found = open_files_.find(fd);
  return found == open_files_.end() ? -1 : found->second;
}

void FolderMirror::opened(int fd, int folder, const char* path, int flags) {
  closed(fd);  // perhaps by a call that was not seen
  if (is_this_folder(fmt::format("/proc/self/fd/{}", fd))) {
    open_folders_.insert(fd);
    return;
  }
  const std::string name = name_of(folder, path);
  if (name.empty()) return;
  const auto [found, made] = names_.emplace(name, static_cast<int>(files_.size()));
  open_files_[fd] = found->second;
  if (made) {
    files_.emplace_back();
    operations_.push_back({.kind = Kind::create, .file = found->second, .name = name});
  } else if ((flags & O_TRUNC) != 0) {
    cut(fd, 0);
  }
}

void FolderMirror::duplicated(int from, int to) {
  closed(to);
  if (const int file = file_of(from); file >= 0) open_files_[to] = file;
  if (open_folders_.contains(from)) open_folders_.insert(to);
}

void FolderMirror::closed(int fd) {
  open_files_.erase(fd);
  open_folders_.erase(fd);
}

void FolderMirror::written(int fd, off_t offset, std::span<const std::byte> bytes) {
  const int file = file_of(fd);
  if (file < 0 || bytes.empty()) return;
  Bytes& there = files_[file];
  const auto place = static_cast<std::uint64_t>(offset);
  there.resize(std::max(there.size(), place + bytes.size()));
  std::ranges::copy(bytes, there.begin() + offset);
  operations_.push_back(
      {.kind = Kind::write, .file = file, .place = place, .bytes = {bytes.begin(), bytes.end()}});
}

void FolderMirror::cut(int fd, off_t size) {
  const int file = file_of(fd);
  if (file < 0) return;
  files_[file].resize(static_cast<std::size_t>(size));
  operations_.push_back(
      {.kind = Kind::cut, .file = file, .place = static_cast<std::uint64_t>(size)});
}

void FolderMirror::synced(int fd) {
  if (open_folders_.contains(fd)) operations_.push_back({.kind = Kind::sync_folder});
  const int file = file_of(fd);
  if (file >= 0) operations_.push_back({.kind = Kind::sync, .file = file});
}

void FolderMirror::renamed(int from_folder, const char* from, int to_folder, const char* to) {
  const std::string name = name_of(from_folder, from);
  const std::string new_name = name_of(to_folder, to);
  const auto found = names_.find(name);
  if (found == names_.end() || new_name.empty()) return;  // require_truth() will tell
  const int file = found->second;
  names_.erase(found);
  if (const auto lost = names_.find(new_name); lost != names_.end()) {
    nameless_.push_back(lost->second);
  }
  names_[new_name] = file;
  operations_.push_back({.kind = Kind::rename, .file = file, .name = name, .new_name = new_name});
}

void FolderMirror::unlinked(int folder, const char* path) {
  const auto found = names_.find(name_of(folder, path));
  if (found == names_.end()) return;
  nameless_.push_back(found->second);
  operations_.push_back({.kind = Kind::unlink, .file = found->second, .name = found->first});
  names_.erase(found);
}

SimulatedDisk::SimulatedDisk(const std::string& folder)
    : mirror_(folder),
      recording_{mirror_.names(), mirror_.files(), {}},
      before_(set_watcher(&mirror_)) {}

SimulatedDisk::~SimulatedDisk() { set_watcher(before_); }

DiskRecording SimulatedDisk::stop() {
  set_watcher(before_);
  mirror_.require_truth();
  recording_.operations = mirror_.operations();
  return recording_;
}

}  // namespace obliq

// What is done to the files of one folder, call by call, so that a power failure can be played at
// each (crash_states.h). Calls are those that failing_calls.cc sees; files lie in the folder
// itself.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/storage/call_watcher.h"
#include "tests/storage/files.h"

namespace obliq {

/// One thing that was done to a file or to the folder.
struct DiskOperation {
  enum class Kind { create, write, cut, sync, rename, unlink, sync_folder, note };
  Kind kind;
  int file = -1;              ///< its number
  std::string name = {};      ///< create, rename, unlink
  std::string new_name = {};  ///< rename
  std::uint64_t place = 0;    ///< write: offset; cut: size
  Bytes bytes = {};           ///< write
  int noted = 0;              ///< note
};

/// All that was done, and what was on the disk before.
struct DiskRecording {
  std::map<std::string, int> names;  ///< numbers of the files
  std::vector<Bytes> files;          ///< of those that were there
  std::vector<DiskOperation> operations;
};

/// The files of a folder in memory, kept as they are by what is watched.
class FolderMirror : public CallWatcher {
 public:
  /// Takes in what is there.
  explicit FolderMirror(std::string folder);

  const std::map<std::string, int>& names() const { return names_; }
  const std::vector<Bytes>& files() const { return files_; }
  const std::vector<DiskOperation>& operations() const { return operations_; }
  /// Forgets what was done, and the bytes of files that have lost their names.
  void forget_operations();
  void note(int number);
  /// Throws std::logic_error where the folder holds something else: a call was not seen.
  void require_truth() const;

  void opened(int fd, int folder, const char* path, int flags) override;
  void duplicated(int from, int to) override;
  void closed(int fd) override;
  void written(int fd, off_t offset, std::span<const std::byte> bytes) override;
  void cut(int fd, off_t size) override;
  void synced(int fd) override;
  void renamed(int from_folder, const char* from, int to_folder, const char* to) override;
  void unlinked(int folder, const char* path) override;

 private:
  bool is_this_folder(const std::string& path) const;
  std::string name_of(int folder, const char* path) const;
  int file_of(int fd) const;

  std::string folder_;
  std::map<std::string, int> names_;
  std::vector<Bytes> files_;
  std::vector<int> nameless_;      // files that have lost their names
  std::map<int, int> open_files_;  // descriptor -> number of the file
  std::set<int> open_folders_;     // descriptors of this folder
  std::vector<DiskOperation> operations_;
};

/// Records from construction until stop(). What is there before is on the disk.
class SimulatedDisk {
 public:
  explicit SimulatedDisk(const std::string& folder);
  ~SimulatedDisk();
  SimulatedDisk(const SimulatedDisk&) = delete;
  SimulatedDisk& operator=(const SimulatedDisk&) = delete;

  /// What holds from here on, in a number of the test's: given to the checks of later states.
  void note(int number) { mirror_.note(number); }
  /// Throws std::logic_error where something was done that was not seen.
  DiskRecording stop();

 private:
  FolderMirror mirror_;
  DiskRecording recording_;
  CallWatcher* before_;
};

}  // namespace obliq

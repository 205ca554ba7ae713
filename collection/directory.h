// The files of a collection's directory, by their names:
//
//     MANIFEST-<n>      what the collection consists of (manifest.h); the highest number counts
//     model-<id>        a model
//     seg-<n>           a segment
//     del-<n>-<v>       deleted rows of segment n
//     keys-<n>          keys of segment n, where ids are strings
//     log-<n>           changes that are in no segment's file yet
//     LOCK              held by the writer
//
// Numbers are 16 hexadecimal digits.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace obliq {

/// Syncs the folder that `path` is in, so that a power failure does not take it away. Throws
/// std::system_error.
void sync_folder_of(const std::string& path);
/// Throws std::runtime_error where a file of a collection is a symbolic link: a writer makes none.
void refuse_link(const std::string& path);

class CollectionDirectory {
 public:
  explicit CollectionDirectory(std::string path) : path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  std::string manifest(std::uint64_t version) const;
  std::string model(std::uint64_t id) const;
  std::string segment(std::uint64_t number) const;
  std::string keys(std::uint64_t number) const;
  std::string deleted(std::uint64_t number, std::uint64_t version) const;
  std::string log(std::uint64_t number) const { return path_ + "/" + log_name(number); }
  static std::string log_name(std::uint64_t number);

  /// Of all entries. Throws std::system_error where the directory cannot be read.
  std::vector<std::string> names() const;
  /// The highest number of a manifest; 0: there is none. Throws std::system_error where the
  /// directory cannot be read.
  std::uint64_t newest_manifest() const;
  /// The numbers of the logs from `first` on, rising.
  std::vector<std::uint64_t> logs_from(std::uint64_t first) const;
  /// Removes all files with names of this grammar but `needed` (full paths) and LOCK. What cannot
  /// be removed stays.
  void remove_others(const std::set<std::string>& needed) const;

 private:
  std::string path_;
};

}  // namespace obliq

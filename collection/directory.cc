#include "collection/directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string_view>

#include "storage/file_descriptor.h"
#include "storage/file_error.h"

namespace obliq {
namespace {

constexpr std::string_view kManifest = "MANIFEST-";

std::optional<std::uint64_t> number_of(std::string_view digits) {
  std::uint64_t number = 0;
  const char* end = digits.data() + digits.size();
  const auto [rest, error] = std::from_chars(digits.data(), end, number, 16);
  if (digits.size() != 16 || rest != end || error != std::errc()) return {};
  return number;
}

std::optional<std::uint64_t> number_behind(std::string_view prefix, std::string_view name) {
  if (!name.starts_with(prefix)) return {};
  return number_of(name.substr(prefix.size()));
}

bool is_deleted_file(std::string_view name) {
  constexpr std::string_view kPrefix = "del-";
  return name.size() == kPrefix.size() + 33 && name.starts_with(kPrefix) && name[20] == '-' &&
         number_of(name.substr(4, 16)) && number_of(name.substr(21));
}

bool is_ours(std::string_view name) {
  for (const std::string_view prefix :
       {kManifest, std::string_view("model-"), std::string_view("seg-"), std::string_view("keys-"),
        std::string_view("log-")}) {
    if (number_behind(prefix, name)) return true;
  }
  return is_deleted_file(name);
}

}  // namespace

std::string CollectionDirectory::manifest(std::uint64_t version) const {
  return fmt::format("{}/{}{:016x}", path_, kManifest, version);
}
std::string CollectionDirectory::model(std::uint64_t id) const {
  return fmt::format("{}/model-{:016x}", path_, id);
}
std::string CollectionDirectory::segment(std::uint64_t number) const {
  return fmt::format("{}/seg-{:016x}", path_, number);
}
std::string CollectionDirectory::keys(std::uint64_t number) const {
  return fmt::format("{}/keys-{:016x}", path_, number);
}
std::string CollectionDirectory::deleted(std::uint64_t number, std::uint64_t version) const {
  return fmt::format("{}/del-{:016x}-{:016x}", path_, number, version);
}
std::string CollectionDirectory::log_name(std::uint64_t number) {
  return fmt::format("log-{:016x}", number);
}

// A directory_iterator ends the process where memory runs out: its steps are noexcept.
std::vector<std::string> CollectionDirectory::names() const {
  struct Closer {
    void operator()(DIR* entries) const { ::closedir(entries); }
  };
  const std::unique_ptr<DIR, Closer> entries(::opendir(path_.c_str()));
  if (entries == nullptr) throw_system_error(path_, "read the directory", errno);
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(entries.get());
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) throw_system_error(path_, "read the directory", errno);
  return names;
}

std::uint64_t CollectionDirectory::newest_manifest() const {
  std::uint64_t newest = 0;
  for (const std::string& name : names()) {
    newest = std::max(newest, number_behind(kManifest, name).value_or(0));
  }
  return newest;
}

std::vector<std::uint64_t> CollectionDirectory::logs_from(std::uint64_t first) const {
  std::vector<std::uint64_t> numbers;
  for (const std::string& name : names()) {
    const auto number = number_behind("log-", name);
    if (number && *number >= first) numbers.push_back(*number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

void CollectionDirectory::remove_others(const std::set<std::string>& needed) const {
  for (const std::string& name : names()) {
    const std::string file = path_ + "/" + name;
    if (is_ours(name) && !needed.contains(file)) (void)::unlinkat(AT_FDCWD, file.c_str(), 0);
  }
}

void sync_folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const FileDescriptor open(
      ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!open.is_open()) throw_system_error(path, "open its folder");
  // EINVAL: a file system without syncable folders, where there is nothing to wait for.
  if (::fsync(open.get()) != 0 && errno != EINVAL) throw_system_error(path, "sync its folder");
}

void refuse_link(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0 || !S_ISLNK(status.st_mode)) return;
  throw std::runtime_error(fmt::format(
      "{}: it is a symbolic link, which no writer makes; the collection is damaged", path));
}

}  // namespace obliq

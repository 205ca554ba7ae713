// The disk is replayed operation by operation; for each file are kept its bytes and, since it was
// synced, all versions of the sectors that were written, and all sizes. A state is a choice among
// these, made by an odometer that goes through all, or at random.
#include "tests/storage/crash_states.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <random>
#include <set>
#include <stdexcept>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "storage/write_all.h"

namespace obliq {
namespace {

using Kind = DiskOperation::Kind;

constexpr std::size_t kSector = 512;        // bytes
constexpr std::size_t kSectorsPerPage = 8;  // 4 KiB

using Sector = std::array<std::byte, kSector>;
using Image = std::map<std::string, Bytes>;  // what a folder holds

/// Draws one of n possibilities; of versions of a sector, 0 being the oldest.
class Chooser {
 public:
  Chooser() = default;
  virtual ~Chooser() = default;
  Chooser(const Chooser&) = delete;
  Chooser& operator=(const Chooser&) = delete;

  virtual std::size_t pick(std::size_t n) = 0;
  virtual void begin_file() {}
  virtual std::size_t pick_version(std::uint64_t /*sector*/, std::size_t n) { return pick(n); }
};

/// Goes through all choices.
class Odometer : public Chooser {
 public:
  std::size_t pick(std::size_t n) override {
    if (at_ == wheels_.size()) wheels_.push_back({0, n});
    return wheels_[at_++].first;
  }
  /// To the next choice; false: that was the last.
  bool turn() {
    at_ = 0;
    while (!wheels_.empty() && wheels_.back().first + 1 == wheels_.back().second) {
      wheels_.pop_back();
    }
    if (wheels_.empty()) return false;
    ++wheels_.back().first;
    return true;
  }

 private:
  std::vector<std::pair<std::size_t, std::size_t>> wheels_;  // position, of how many
  std::size_t at_ = 0;
};

/// Draws at random: of each file all sectors old, all new, or mixed by pages, by a tear in each
/// page, or by sectors. Sectors alone would never leave many of them old, or new.
class Dice : public Chooser {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed) {}

  std::size_t pick(std::size_t n) override { return random_() % n; }
  void begin_file() override {
    style_ = pick(5);
    page_ = ~std::uint64_t{0};
  }
  std::size_t pick_version(std::uint64_t sector, std::size_t n) override {
    if (style_ == 4) return pick(n);
    if (sector / kSectorsPerPage != page_) begin_page(sector / kSectorsPerPage);
    const bool is_new = (sector % kSectorsPerPage < tear_) == new_before_tear_;
    return is_new ? n - 1 : 0;
  }

 private:
  void begin_page(std::uint64_t page) {
    page_ = page;
    new_before_tear_ = style_ == 0 || (style_ > 1 && pick(2) == 0);
    tear_ = style_ == 3 ? pick(kSectorsPerPage + 1) : kSectorsPerPage;
  }

  std::mt19937_64 random_;
  std::size_t style_ = 0;
  std::uint64_t page_ = 0;
  std::size_t tear_ = 0;
  bool new_before_tear_ = false;
};

/// A file's bytes, and what of them may be on the disk.
class PossibleFile {
 public:
  PossibleFile() = default;
  explicit PossibleFile(Bytes bytes) : now_(std::move(bytes)), sizes_{now_.size()} {}

  void write(std::uint64_t offset, const Bytes& bytes) {
    change(offset, offset + bytes.size(), std::max(now_.size(), offset + bytes.size()),
           [&] { std::ranges::copy(bytes, now_.begin() + static_cast<std::ptrdiff_t>(offset)); });
  }
  void cut(std::uint64_t size) {
    change(size, now_.size(), size, [] {});
  }
  void sync() {
    versions_.clear();
    sizes_ = {now_.size()};
  }

  double possibilities() const {
    auto n = static_cast<double>(sizes_.size());
    for (const auto& [sector, versions] : versions_) n *= static_cast<double>(versions.size());
    return n;
  }

  Bytes choose(Chooser& chooser) const {
    Bytes bytes = now_;
    chooser.begin_file();
    for (const auto& [sector, versions] : versions_) {
      const Sector& chosen = versions[chooser.pick_version(sector, versions.size())];
      const std::size_t at = sector * kSector;
      bytes.resize(std::max(bytes.size(), at + kSector));
      std::memcpy(bytes.data() + at, chosen.data(), kSector);
    }
    bytes.resize(sizes_[chooser.pick(sizes_.size())]);
    return bytes;
  }

 private:
  Sector sector_now(std::uint64_t sector) const {
    Sector bytes{};
    const std::size_t at = sector * kSector;
    if (at < now_.size()) {
      std::memcpy(bytes.data(), now_.data() + at, std::min(kSector, now_.size() - at));
    }
    return bytes;
  }

  /// Sets the size, does `change` to bytes from `begin` to `end`, and keeps what became of them.
  template <typename Change>
  void change(std::uint64_t begin, std::uint64_t end, std::uint64_t size, const Change& change) {
    const std::uint64_t first = begin / kSector;
    const std::uint64_t last = std::max(first, (end + kSector - 1) / kSector);
    for (std::uint64_t i = first; i < last; ++i) {
      auto& versions = versions_[i];
      if (versions.empty()) versions.push_back(sector_now(i));
    }
    now_.resize(size);
    change();
    for (std::uint64_t i = first; i < last; ++i) {
      auto& versions = versions_[i];
      if (const Sector now = sector_now(i); now != versions.back()) versions.push_back(now);
      if (versions.size() == 1) versions_.erase(i);
    }
    if (size != sizes_.back()) sizes_.push_back(size);
  }

  Bytes now_;
  std::map<std::uint64_t, std::vector<Sector>> versions_;  // since the sync, that one first
  std::vector<std::uint64_t> sizes_{0};                    // the same
};

class PossibleDisk {
 public:
  explicit PossibleDisk(const DiskRecording& recording) : names_(recording.names) {
    for (const Bytes& bytes : recording.files) files_.emplace_back(bytes);
  }

  void advance(const DiskOperation& operation) {
    switch (operation.kind) {
      case Kind::write:
        return files_[operation.file].write(operation.place, operation.bytes);
      case Kind::cut:
        return files_[operation.file].cut(operation.place);
      case Kind::sync:
        return files_[operation.file].sync();
      case Kind::sync_folder:
        for (const DiskOperation& pending : pending_) apply(pending, names_);
        pending_.clear();
        return;
      case Kind::create:
        files_.resize(operation.file + 1);
        [[fallthrough]];
      case Kind::rename:
      case Kind::unlink:
        pending_.push_back(operation);
        return;
      case Kind::note:
        noted_ = operation.noted;
        return;
    }
  }

  /// No fewer than there are.
  double possibilities() const {
    double n = 1;
    std::set<int> files;
    for (const auto& [name, file] : names_) files.insert(file);
    for (const DiskOperation& pending : pending_) {
      files.insert(pending.file);
      n *= 2;
    }
    for (const int file : files) n *= files_[file].possibilities();
    return n;
  }

  Image choose(Chooser& chooser) const {
    auto names = names_;
    for (const DiskOperation& pending : pending_) {
      if (chooser.pick(2) == 1) apply(pending, names);
    }
    Image image;
    for (const auto& [name, file] : names) image[name] = files_[file].choose(chooser);
    return image;
  }

  int noted() const { return noted_; }

 private:
  static void apply(const DiskOperation& operation, std::map<std::string, int>& names) {
    const auto found = names.find(operation.name);
    const bool named = found != names.end() && found->second == operation.file;
    if (operation.kind != Kind::create && named) names.erase(found);
    if (operation.kind == Kind::create) names[operation.name] = operation.file;
    if (operation.kind == Kind::rename) names[operation.new_name] = operation.file;
  }

  std::map<std::string, int> names_;    // on the disk
  std::vector<DiskOperation> pending_;  // that may be there, too
  std::vector<PossibleFile> files_;
  int noted_ = -1;
};

/// A folder that is made to hold one image after the other; what is right already stays.
class CrashFolder {
 public:
  CrashFolder() : mirror_(folder_.path()), before_(set_watcher(&mirror_)) {}
  ~CrashFolder() { set_watcher(before_); }
  CrashFolder(const CrashFolder&) = delete;
  CrashFolder& operator=(const CrashFolder&) = delete;

  const std::string& path() const { return folder_.path(); }

  void hold(const Image& image) {
    mirror_.forget_operations();
    const auto there = mirror_.names();
    for (const auto& [name, file] : there) {
      if (!image.contains(name)) ::unlinkat(AT_FDCWD, path_of(name).c_str(), 0);
    }
    for (const auto& [name, bytes] : image) write(name, bytes);
  }

 private:
  std::string path_of(const std::string& name) const { return folder_ / name; }
  void write(const std::string& name, const Bytes& bytes) {
    const auto there = mirror_.names().find(name);
    if (there != mirror_.names().end() && mirror_.files()[there->second] == bytes) return;
    const FileDescriptor file(
        ::open(path_of(name).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (write_all_at(file.get(), 0, bytes) != 0) throw std::runtime_error("cannot write " + name);
  }

  TemporaryFolder folder_ = fast_folder();
  FolderMirror mirror_;
  CallWatcher* before_;
};

std::size_t hash_of(const Image& image, int noted) {
  std::size_t hash = static_cast<std::size_t>(noted);
  const auto add = [&hash](const void* bytes, std::size_t size) {
    const std::string_view text(static_cast<const char*>(bytes), size);
    hash = hash * 31 + std::hash<std::string_view>{}(text);
  };
  for (const auto& [name, bytes] : image) {
    add(name.data(), name.size());
    add(bytes.data(), bytes.size());
  }
  return hash;
}

constexpr const char* kNames[] = {"create", "write",  "cut",         "sync",
                                  "rename", "unlink", "sync_folder", "note"};

std::string describe(const DiskRecording& recording, std::size_t done, std::uint64_t seed) {
  std::string text = fmt::format("power failure after {} of {} operations, seed {}", done,
                                 recording.operations.size(), seed);
  if (done == 0) return text;
  const DiskOperation& last = recording.operations[done - 1];
  return fmt::format("{}; the last: {} {} of file {}", text, kNames[static_cast<int>(last.kind)],
                     last.name, last.file);
}

/// Gives states to a check, each one once.
class Checker {
 public:
  explicit Checker(const std::function<void(const CrashState&)>& check) : check_(check) {}

  std::size_t checked() const { return seen_.size(); }

  /// False where the check failed.
  bool passes(const PossibleDisk& disk, Chooser& chooser) {
    const Image image = disk.choose(chooser);
    if (!seen_.insert(hash_of(image, disk.noted())).second) return true;
    folder_.hold(image);
    try {
      check_({folder_.path(), disk.noted()});
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
    return !::testing::Test::HasFailure();
  }

  /// The same for all choices, or for `most` drawn at random.
  bool passes_all(const PossibleDisk& disk, std::size_t most, std::uint64_t seed) {
    if (disk.possibilities() <= static_cast<double>(most)) {
      Odometer all;
      do {
        if (!passes(disk, all)) return false;
      } while (all.turn());
      return true;
    }
    Dice dice(seed);
    for (std::size_t i = 0; i < most; ++i) {
      if (!passes(disk, dice)) return false;
    }
    return true;
  }

 private:
  const std::function<void(const CrashState&)>& check_;
  CrashFolder folder_;
  std::unordered_set<std::size_t> seen_;
};

std::uint64_t number_from_environment(const char* name, std::uint64_t usual) {
  const char* text = std::getenv(name);
  return text == nullptr ? usual : std::stoull(text);
}

}  // namespace

std::size_t for_each_crash_state(const DiskRecording& recording, std::size_t count,
                                 std::uint64_t seed,
                                 const std::function<void(const CrashState&)>& check) {
  PossibleDisk disk(recording);
  Checker checker(check);
  const std::size_t all = recording.operations.size();
  const std::size_t share = std::max<std::size_t>(1, count / (all + 1));
  for (std::size_t done = 0; done <= all; ++done) {
    if (done > 0) disk.advance(recording.operations[done - 1]);
    const ::testing::ScopedTrace trace(__FILE__, __LINE__, describe(recording, done, seed));
    if (!checker.passes_all(disk, share, seed + done)) break;
  }
  return checker.checked();
}

TemporaryFolder fast_folder() {
  constexpr const char* kMemory = "/dev/shm";
  const bool there = ::access(kMemory, W_OK | X_OK) == 0;
  return TemporaryFolder(there ? kMemory : std::filesystem::temp_directory_path().string());
}

std::size_t crash_state_count(std::size_t usual) {
  return number_from_environment("OBLIQ_CRASH_STATES", usual);
}

std::uint64_t crash_seed() { return number_from_environment("OBLIQ_CRASH_SEED", 1); }

}  // namespace obliq

// The order of calls is all there is to it:
//
//   append   write the record                        failed: cut the file back to where it was
//   sync     sync the data, then write the older slot: it can reach the disk only after what it
//            covers, and the newer one stays as it is meanwhile
//   reopen   cut the torn tail off and sync that before anything is written: else a power failure
//            could bring back a record of the tail behind a new one of the same size
#include "storage/log_writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "storage/file_error.h"
#include "storage/log_layout.h"
#include "storage/random_number.h"
#include "storage/temporary_file.h"
#include "storage/write_all.h"

namespace obliq {
namespace {

constexpr std::size_t kKeptBytes = std::size_t{1} << 20;  // of the buffer, from record to record

void require_unused(int folder, const std::string& name, const std::string& path) {
  struct stat status {};
  if (::fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) {
    throw_system_error(path, "create", EEXIST);
  }
  if (errno != ENOENT) throw_system_error(path, "read its status");
}

/// Writes `bytes` to a new file `name`, and syncs it and the folder. What fails leaves no file.
FileDescriptor make_file(int folder, const std::string& name, const std::string& path,
                         std::span<const std::byte> bytes) {
  remove_abandoned_files(folder);
  TemporaryFile file(folder);
  if (!file.is_open()) throw_system_error(path, "create a temporary file beside");
  if (const int error = write_all_at(file.fd(), 0, bytes); error != 0) {
    const std::string lack = describe_lack_of_room(error, folder, bytes.size());
    throw_system_error(path, "write" + lack, error);
  }
  if (::fsync(file.fd()) != 0) throw_system_error(path, "sync");
  if (file.rename_to(name) != 0) throw_system_error(path, "rename the temporary file to it");
  // EINVAL: a file system without syncable folders, where there is nothing to wait for.
  if (::fsync(folder) != 0 && errno != EINVAL) {
    const int error = errno;
    ::unlinkat(folder, name.c_str(), 0);
    throw_system_error(path, "sync its folder", error);
  }
  return file.release();
}

}  // namespace

LogWriter::LogWriter(std::string path, FileDescriptor file, std::uint64_t random, LogPlace next)
    : path_(std::move(path)),
      file_(std::move(file)),
      random_(random),
      next_(next),
      synced_(kLogHeadBytes) {}

LogWriter LogWriter::create(const std::string& folder, const std::string& name, std::uint64_t owner,
                            std::uint64_t first_seq) {
  std::string path = fmt::format("{}/{}", folder, name);
  if (first_seq == 0) {
    throw std::invalid_argument(path + ": first number 0 of a log; numbers begin with 1");
  }
  const FileDescriptor open(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!open.is_open()) throw_system_error(path, "open its folder");
  require_unused(open.get(), name, path);
  const std::uint64_t random = random_number(path);
  const auto head = make_log_head(random, first_seq, owner);
  FileDescriptor file = make_file(open.get(), name, path, head);
  return {std::move(path), std::move(file), random, {kLogHeadBytes, first_seq}};
}

LogWriter LogWriter::open_for_append(const std::string& path, std::uint64_t owner,
                                     const LogTake& take) {
  const LogEnd end = LogReader(path, owner).replay(take);
  FileDescriptor file(::open(path.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC));
  if (!file.is_open()) throw_system_error(path, "open for writing");
  LogWriter writer(path, std::move(file), 0, end.next);
  writer.take_over(owner, end);
  return writer;
}

void LogWriter::take_over(std::uint64_t owner, const LogEnd& end) {
  std::vector<std::byte> bytes(kLogHeadBytes);
  if (const int error = read_all_at(file_.get(), 0, bytes); error != 0) {
    throw_system_error(path_, "read its header", error);
  }
  const LogHead head = check_log_head(path_, bytes, owner);
  random_ = head.header.random;
  slot_ = 1 - head.newest();
  synced_ = head.slots[head.newest()].bytes;
  if (end.torn_bytes > 0 && ::ftruncate(file_.get(), static_cast<off_t>(next_.offset)) != 0) {
    throw_system_error(path_, "cut off its torn tail");
  }
  write_again(synced_);
  if (end.torn_bytes > 0 && ::fsync(file_.get()) != 0) poison("sync", errno);
  sync();
}

// Beyond the slots a sync may have failed, in another process: the system takes those pages for
// clean, and would not write them, until they are changed.
void LogWriter::write_again(std::uint64_t from) {
  while (from < next_.offset) {
    buffer_.resize(std::min<std::uint64_t>(next_.offset - from, kKeptBytes));
    int error = read_all_at(file_.get(), from, buffer_);
    if (error == 0) error = write_all_at(file_.get(), from, buffer_);
    if (error != 0) throw_system_error(path_, "write its last records again", error);
    from += buffer_.size();
  }
}

std::uint64_t LogWriter::append(std::uint8_t type,
                                std::span<const std::span<const std::byte>> payload) {
  require_sound();
  encode(type, payload);
  const int error = write_all_at(file_.get(), next_.offset, buffer_);
  if (error != 0) cut_back(error);
  next_.offset += buffer_.size();
  if (buffer_.capacity() > kKeptBytes) buffer_ = {};
  return next_.seq++;
}

void LogWriter::encode(std::uint8_t type, std::span<const std::span<const std::byte>> payload) {
  std::uint64_t bytes = 0;
  for (const auto part : payload) bytes += part.size();
  if (bytes > kLogMaxPayload) {
    throw std::invalid_argument(fmt::format("{}: a record of {} bytes; at most {} are possible",
                                            path_, bytes, kLogMaxPayload));
  }
  LogRecordHead head{static_cast<std::uint32_t>(bytes), 0, next_.seq, type, {}};
  buffer_.clear();
  buffer_.reserve(log_record_bytes(bytes));
  buffer_.resize(sizeof head);
  for (const auto part : payload) buffer_.insert(buffer_.end(), part.begin(), part.end());
  buffer_.resize(log_record_bytes(bytes));
  std::memcpy(buffer_.data(), &head, sizeof head);
  head.crc = log_record_crc(buffer_, random_, next_.offset);
  std::memcpy(buffer_.data(), &head, sizeof head);
}

void LogWriter::cut_back(int error) {
  const std::uint64_t size = next_.offset + buffer_.size();
  if (::ftruncate(file_.get(), static_cast<off_t>(next_.offset)) != 0) {
    failure_ = errno;
    failed_operation_ = "cut off what it had written of a record";
  }
  throw_system_error(
      path_,
      "write" + describe_lack_of_room(error, file_.get(), error == EFBIG ? size : buffer_.size()),
      error);
}

void LogWriter::sync() {
  const LogPlace upto = begin_sync();
  if (synced_ != upto.offset) end_sync(upto, sync_data());
}

LogPlace LogWriter::begin_sync() const {
  require_sound();
  return next_;
}

int LogWriter::sync_data() const { return ::fdatasync(file_.get()) == 0 ? 0 : errno; }

void LogWriter::end_sync(LogPlace upto, int error) {
  if (error != 0) poison("sync", error);
  synced_ = upto.offset;
  write_slot(upto);
}

void LogWriter::write_slot(LogPlace upto) {
  const LogSlot slot = sealed_slot(upto.seq - 1, upto.offset, random_, slot_);
  const int error =
      write_all_at(file_.get(), slot_offset(slot_), std::as_bytes(std::span(&slot, 1)));
  if (error != 0) poison("write its slot", error);
  slot_ = 1 - slot_;
}

void LogWriter::close() {
  sync();
  if (::fsync(file_.get()) != 0) poison("sync", errno);
  if (file_.close() != 0) throw_system_error(path_, "close");
}

void LogWriter::require_sound() const {
  if (!file_.is_open()) throw std::invalid_argument(path_ + ": written to after it was closed");
  if (failure_ == 0) return;
  throw_system_error(path_,
                     fmt::format("write to it any more, since it could not {}", failed_operation_),
                     failure_);
}

void LogWriter::poison(std::string_view operation, int error) {
  failed_operation_ = operation;
  failure_ = error;
  throw_system_error(path_, operation, error);
}

}  // namespace obliq

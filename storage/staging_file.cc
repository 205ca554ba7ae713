#include "storage/staging_file.h"

#include <fcntl.h>

#include <algorithm>
#include <cassert>
#include <cerrno>

#include "storage/file_error.h"
#include "storage/write_all.h"

namespace obliq {

StagingFile::StagingFile(const std::string& folder) : folder_(folder.empty() ? "." : folder) {
  const FileDescriptor open(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!open.is_open()) throw_system_error(folder_, "open");
  remove_abandoned_files(open.get());
  file_ = TemporaryFile(open.get());
  if (!file_.is_open()) throw_system_error(folder_, "make a temporary file in it");
  if (file_.unlink() != 0) throw_system_error(folder_, "remove a temporary file from it");
}

void StagingFile::reserve(std::uint64_t bytes) {
  if (in_memory()) bytes_.reserve(bytes);
}

void StagingFile::append(std::span<const std::uint8_t> bytes) {
  size_ += bytes.size();
  if (in_memory()) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return;
  }
  const int error = write_all(file_.fd(), std::as_bytes(bytes));
  if (error == 0) return;
  throw_system_error(
      folder_, "write to a temporary file in it" + describe_lack_of_room(error, file_.fd(), size_),
      error);
}

void StagingFile::copy(std::uint64_t offset, std::size_t count, std::uint8_t* out) const {
  assert(offset <= size_ && count <= size_ - offset);
  if (in_memory()) {
    std::copy_n(bytes_.data() + offset, count, out);
    return;
  }
  const int error = read_all_at(file_.fd(), offset, std::as_writable_bytes(std::span(out, count)));
  if (error != 0) throw_system_error(folder_, "read from a temporary file in it", error);
}

std::span<const std::uint8_t> StagingFile::read(std::uint64_t offset, std::size_t count,
                                                std::vector<std::uint8_t>& buffer) const {
  if (in_memory()) return std::span(bytes_).subspan(offset, count);
  if (buffer.size() < count) buffer.resize(count);
  copy(offset, count, buffer.data());
  return {buffer.data(), count};
}

std::span<std::uint8_t> StagingFile::edit(std::uint64_t offset, std::size_t count,
                                          std::vector<std::uint8_t>& buffer) {
  if (in_memory()) return std::span(bytes_).subspan(offset, count);
  (void)read(offset, count, buffer);
  return {buffer.data(), count};
}

void StagingFile::cut(std::uint64_t bytes) {
  assert(in_memory() && bytes <= size_);
  bytes_.resize(bytes);
  size_ = bytes;
}

}  // namespace obliq

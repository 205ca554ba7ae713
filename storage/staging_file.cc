#include "storage/staging_file.h"

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>

#include "storage/file_error.h"

namespace obliq {

StagingFile::StagingFile(const std::string& folder) : folder_(folder.empty() ? "." : folder) {
  std::string name = folder_ + "/.obliq-staging-XXXXXX";
  file_ = FileDescriptor(::mkstemp(name.data()));
  if (!file_.is_open()) throw_system_error(folder_, "make a temporary file in it");
  if (::unlink(name.c_str()) != 0) throw_system_error(name, "remove the temporary file");
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
  while (!bytes.empty()) {
    const ssize_t written = ::write(file_.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written == 0) errno = ENOSPC;
    if (written <= 0) throw_system_error(folder_, "write to a temporary file in it");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void StagingFile::copy(std::uint64_t offset, std::size_t count, std::uint8_t* out) const {
  assert(offset <= size_ && count <= size_ - offset);
  if (in_memory()) {
    std::copy_n(bytes_.data() + offset, count, out);
    return;
  }
  while (count > 0) {
    const ssize_t got = ::pread(file_.get(), out, count, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got == 0) errno = EIO;
    if (got <= 0) throw_system_error(folder_, "read from a temporary file in it");
    out += got;
    offset += static_cast<std::uint64_t>(got);
    count -= static_cast<std::size_t>(got);
  }
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

std::vector<std::uint8_t> StagingFile::take() {
  assert(in_memory());
  size_ = 0;
  return std::move(bytes_);
}

}  // namespace obliq

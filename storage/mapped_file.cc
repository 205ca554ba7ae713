#include "storage/mapped_file.h"

#include <sys/mman.h>

#include <utility>

#include "storage/file_error.h"

namespace obliq {

MappedFile::MappedFile(std::string path)
    : MappedFile(InputFile(std::move(path)), Loading::mapped) {}

MappedFile::MappedFile(InputFile file, Loading loading)
    : file_(std::move(file)), loading_(loading) {
  const auto size = static_cast<std::size_t>(file_.size());
  if (size == 0) return;
  void* address = MAP_FAILED;
  if (is_mapped()) {
    address = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file_.descriptor(), 0);
    if (address == MAP_FAILED) throw_system_error(path(), "map");
  } else {
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    address = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (address == MAP_FAILED) throw_system_error(path(), "find memory for");
    ::madvise(address, size, MADV_HUGEPAGE);  // only advice: failure costs nothing
  }
  bytes_ = {static_cast<const std::byte*>(address), size};
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

void MappedFile::load(std::uint64_t offset, std::size_t count, std::string_view part) {
  file_.read(offset, {const_cast<std::byte*>(bytes_.data()) + offset, count}, part);
}

// Pages that reach into neighbouring parts are left out: whose advice came last would hold there.
void MappedFile::advise(std::span<const std::byte> part, Access access) const noexcept {
  if (!is_mapped() || part.empty()) return;
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const auto offset = static_cast<std::size_t>(part.data() - bytes_.data());
  const std::size_t begin = (offset + page - 1) / page * page;
  const std::size_t end = (offset + part.size()) / page * page;
  if (begin >= end) return;
  ::madvise(const_cast<std::byte*>(bytes_.data()) + begin, end - begin,
            access == Access::random ? MADV_RANDOM : MADV_SEQUENTIAL);
}

}  // namespace obliq

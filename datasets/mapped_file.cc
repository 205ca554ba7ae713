// An empty file has no pages to map: its span is empty.
#include "datasets/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

#include "datasets/file_error.h"

namespace obliq::datasets {
namespace {

class Descriptor {
 public:
  explicit Descriptor(const std::string& path) : id_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (id_ < 0) fail_system(path, "open");
  }
  ~Descriptor() { ::close(id_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int id() const { return id_; }

 private:
  int id_;
};

std::size_t regular_bytes(const Descriptor& file, const std::string& path) {
  struct stat info = {};
  if (::fstat(file.id(), &info) != 0) fail_system(path, "stat");
  if (!S_ISREG(info.st_mode)) {
    errno = S_ISDIR(info.st_mode) ? EISDIR : EINVAL;
    fail_system(path, "map");
  }
  return static_cast<std::size_t>(info.st_size);
}

}  // namespace

MappedFile::MappedFile(const std::string& path) {
  const Descriptor descriptor(path);
  const std::size_t bytes = regular_bytes(descriptor, path);
  file_.name = path;
  if (bytes == 0) return;
  void* start = ::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, descriptor.id(), 0);
  if (start == MAP_FAILED) fail_system(path, "map");
  file_.bytes = {static_cast<const std::uint8_t*>(start), bytes};
}

MappedFile::~MappedFile() {
  if (!file_.bytes.empty()) {
    ::munmap(const_cast<std::uint8_t*>(file_.bytes.data()), file_.bytes.size());
  }
}

}  // namespace obliq::datasets

// Opening files and attributes; datasets are in hdf5_dataset.cc.
#include "datasets/hdf5_reader.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stdexcept>

#include "datasets/file_error.h"

namespace obliq::datasets {
namespace {

// Longer texts than this in an attribute are not what ann-benchmarks writes.
constexpr std::size_t kMaxAttributeBytes = 4096;

std::uint64_t readable_bytes(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) fail_system(path, "open");
  struct stat info = {};
  const int status = ::fstat(file, &info);
  ::close(file);
  if (status != 0) fail_system(path, "stat");
  if (!S_ISREG(info.st_mode)) throw std::runtime_error(path + ": not a regular file");
  return static_cast<std::uint64_t>(info.st_size);
}

Hdf5Handle access_properties() {
  Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_file_locking(access.id(), false, true);  // read-only folders and networks lack locks
  return access;
}

// The cache holds chunks of some megabytes, so that neighbouring reads inflate a chunk once.
Hdf5Handle dataset_access() {
  constexpr std::size_t kCacheSlots = 12421;
  constexpr std::size_t kCacheBytes = std::size_t{64} << 20;
  Hdf5Handle access(H5Pcreate(H5P_DATASET_ACCESS), H5Pclose);
  H5Pset_chunk_cache(access.id(), kCacheSlots, kCacheBytes, 1.0);
  return access;
}

std::string up_to_nul(const char* text, std::size_t bytes) {
  return {text, ::strnlen(text, bytes)};
}

std::optional<std::string> read_text(hid_t attribute, hid_t type) {
  if (H5Tis_variable_str(type) > 0) {
    char* text = nullptr;
    if (H5Aread(attribute, type, &text) < 0 || text == nullptr) return std::nullopt;
    std::string copy(text);
    H5free_memory(text);
    return copy;
  }
  const std::size_t bytes = H5Tget_size(type);
  if (bytes == 0 || bytes > kMaxAttributeBytes) return std::nullopt;
  std::string text(bytes, '\0');
  if (H5Aread(attribute, type, text.data()) < 0) return std::nullopt;
  return up_to_nul(text.data(), bytes);
}

}  // namespace

Hdf5Reader::Hdf5Reader(const std::string& path) : path_(path), file_bytes_(readable_bytes(path)) {
  const Hdf5Silence silence;
  const Hdf5Handle access = access_properties();
  file_ = {H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.id()), H5Fclose};
  if (!file_.valid()) fail_at(path_, 0, fmt::format("not a sound HDF5 file ({})", hdf5_reason()));
}

Hdf5Reader::Hdf5Reader(std::span<const std::uint8_t> bytes, std::string name)
    : path_(std::move(name)), file_bytes_(bytes.size()) {
  const Hdf5Silence silence;
  const Hdf5Handle access = access_properties();
  H5Pset_fapl_core(access.id(), 1 << 16, false);
  std::vector<std::uint8_t> copy(bytes.begin(), bytes.end());  // the interface wants it writable
  H5Pset_file_image(access.id(), copy.data(), copy.size());
  file_ = {H5Fopen(path_.c_str(), H5F_ACC_RDONLY, access.id()), H5Fclose};
  if (!file_.valid()) fail_at(path_, 0, fmt::format("not a sound HDF5 file ({})", hdf5_reason()));
}

bool Hdf5Reader::has(const std::string& dataset) const {
  const Hdf5Silence silence;
  return H5Lexists(file_.id(), dataset.c_str(), H5P_DEFAULT) > 0;
}

Hdf5Dataset Hdf5Reader::dataset(const std::string& name) const {
  const Hdf5Silence silence;
  const std::string where = fmt::format("{}: dataset '{}'", path_, name);
  const Hdf5Handle access = dataset_access();
  Hdf5Handle handle(H5Dopen2(file_.id(), name.c_str(), access.id()), H5Dclose);
  if (!handle.valid()) throw std::runtime_error(where + ": cannot be opened: " + hdf5_reason());
  return {where, std::move(handle), file_bytes_};
}

std::optional<std::string> Hdf5Reader::text_attribute(const std::string& name) const {
  const Hdf5Silence silence;
  if (H5Aexists(file_.id(), name.c_str()) <= 0) return std::nullopt;
  const Hdf5Handle attribute(H5Aopen(file_.id(), name.c_str(), H5P_DEFAULT), H5Aclose);
  if (!attribute.valid()) return std::nullopt;
  const Hdf5Handle type(H5Aget_type(attribute.id()), H5Tclose);
  const Hdf5Handle space(H5Aget_space(attribute.id()), H5Sclose);
  if (H5Tget_class(type.id()) != H5T_STRING) return std::nullopt;
  if (H5Sget_simple_extent_npoints(space.id()) != 1) return std::nullopt;
  return read_text(attribute.id(), type.id());
}

}  // namespace obliq::datasets

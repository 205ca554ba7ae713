// Opening files and attributes; datasets are in hdf5_dataset.cc.
#include "datasets/hdf5_reader.h"

#include <fmt/format.h>

#include <stdexcept>

#include "datasets/file_error.h"
#include "datasets/hdf5_strings.h"

namespace obliq::datasets {
namespace {

// Longer texts than this in an attribute are not what ann-benchmarks writes.
constexpr std::size_t kMaxAttributeBytes = 4096;

Hdf5Handle access_properties() {
  Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_file_locking(access.id(), false, true);  // read-only folders and networks lack locks
  return access;
}

std::optional<std::string> read_text(hid_t attribute, hid_t type, Hdf5Heap heap) {
  if (H5Tis_variable_str(type) > 0) {
    std::uint8_t reference[kHeapReferenceBytes] = {};
    if (H5Aread(attribute, heap_reference_type().id(), reference) < 0) return std::nullopt;
    return heap.text(reference);
  }
  const std::size_t bytes = H5Tget_size(type);
  if (bytes == 0 || bytes > kMaxAttributeBytes) return std::nullopt;
  std::string text(bytes, '\0');
  if (H5Aread(attribute, type, text.data()) < 0) return std::nullopt;
  return text.substr(0, text.find('\0'));
}

}  // namespace

Hdf5Reader::Hdf5Reader(const std::string& path)
    : map_(std::make_unique<const MappedFile>(path)), bytes_(map_->file()) {
  const Hdf5Silence silence;
  open(access_properties());
}

Hdf5Reader::Hdf5Reader(const FileBytes& file) : bytes_(file) {
  const Hdf5Silence silence;
  constexpr std::size_t kGrowBytes = std::size_t{1} << 16;  // never used: it is read only
  const Hdf5Handle access = access_properties();
  H5Pset_fapl_core(access.id(), kGrowBytes, false);
  std::vector<std::uint8_t> copy(file.bytes.begin(), file.bytes.end());  // it wants it writable
  H5Pset_file_image(access.id(), copy.data(), copy.size());
  open(access);
}

void Hdf5Reader::open(const Hdf5Handle& access) {
  file_ = {H5Fopen(path().c_str(), H5F_ACC_RDONLY, access.id()), H5Fclose};
  if (!file_.valid()) fail_at(path(), 0, fmt::format("not a sound HDF5 file ({})", hdf5_reason()));
}

bool Hdf5Reader::has(const std::string& dataset) const {
  const Hdf5Silence silence;
  return H5Lexists(file_.id(), dataset.c_str(), H5P_DEFAULT) > 0;
}

Hdf5Dataset Hdf5Reader::dataset(const std::string& name) const {
  const Hdf5Silence silence;
  const std::string where = fmt::format("{}: dataset '{}'", path(), name);
  Hdf5Handle handle(H5Dopen2(file_.id(), name.c_str(), H5P_DEFAULT), H5Dclose);
  if (!handle.valid()) throw std::runtime_error(where + ": cannot be opened: " + hdf5_reason());
  return {where, std::move(handle), bytes_};
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
  return read_text(attribute.id(), type.id(), Hdf5Heap(bytes_, file_));
}

}  // namespace obliq::datasets

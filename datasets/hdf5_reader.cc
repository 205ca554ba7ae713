// Opening files and reading their attributes; datasets are in hdf5_dataset.cc.
#include "datasets/hdf5_reader.h"

#include <fmt/format.h>
#include <hdf5.h>

#include <stdexcept>

#include "datasets/hdf5_text.h"
#include "storage/mapped_file.h"

namespace obliq::datasets {
namespace {

constexpr std::size_t kMaxAttributeBytes = 4096;

}  // namespace

Hdf5Reader::Hdf5Reader(const std::string& path) : path_(path) {
  const MappedFile readable(path);  // says why not, and more clearly than HDF5
  const Hdf5Silence silence;
  const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_file_locking(access.id(), false, true);  // read-only folders and networks lack locks
  file_ = {H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.id()), H5Fclose};
  if (file_.valid()) return;
  const std::string reason = hdf5_reason();
  if (H5Fis_hdf5(path.c_str()) == 0) throw std::runtime_error(path + ": not an HDF5 file");
  throw std::runtime_error(fmt::format("{}: a damaged HDF5 file: {}", path, reason));
}

bool Hdf5Reader::has(const std::string& dataset) const {
  const Hdf5Silence silence;
  return H5Lexists(file_.id(), dataset.c_str(), H5P_DEFAULT) > 0;
}

std::optional<std::string> Hdf5Reader::text_attribute(const std::string& name,
                                                      const std::string& group) const {
  const Hdf5Silence silence;
  if (H5Aexists_by_name(file_.id(), group.c_str(), name.c_str(), H5P_DEFAULT) <= 0) {
    return std::nullopt;
  }
  const Hdf5Handle attribute(
      H5Aopen_by_name(file_.id(), group.c_str(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
  const Hdf5Handle type(H5Aget_type(attribute.id()), H5Tclose);
  const Hdf5Handle space(H5Aget_space(attribute.id()), H5Sclose);
  if (!is_text(type) || H5Tget_size(type.id()) > kMaxAttributeBytes ||
      H5Sget_simple_extent_npoints(space.id()) != 1) {
    return std::nullopt;
  }
  const auto read = [&](void* out) {
    if (H5Aread(attribute.id(), type.id(), out) >= 0) return;
    throw std::runtime_error(
        fmt::format("{}: attribute '{}' cannot be read: {}", path_, name, hdf5_reason()));
  };
  return read_texts(type, space, 1, read).front();
}

}  // namespace obliq::datasets

// Newer HDF5 files through the library. Values come unconverted, strings as references: a
// conversion from variable-length values to opaque ones that does nothing is registered for that.
#include <algorithm>
#include <stdexcept>
#include <utility>

#include "datasets/hdf5_container.h"
#include "datasets/hdf5_handle.h"
#include "datasets/hdf5_heap.h"
#include "datasets/hdf5_type.h"

namespace obliq::datasets {
namespace {

constexpr std::size_t kMaxAttributeBytes = 4096;

herr_t keep_reference(hid_t from, hid_t to, H5T_cdata_t* data, std::size_t, std::size_t,
                      std::size_t, void*, void*, hid_t) {
  if (data->command == H5T_CONV_INIT) {
    data->need_bkg = H5T_BKG_NO;
    const bool same = H5Tget_size(from) == H5Tget_size(to);
    return same && H5Tget_size(to) == kHeapReferenceBytes ? 0 : -1;
  }
  return 0;
}

// Whether HDF5 now knows the conversion. Types only tell it the two classes.
bool conversion_registered() {
  static const bool registered = [] {
    const Hdf5Handle text(H5Tcopy(H5T_C_S1), H5Tclose);
    H5Tset_size(text.id(), H5T_VARIABLE);
    const Hdf5Handle opaque(H5Tcreate(H5T_OPAQUE, kHeapReferenceBytes), H5Tclose);
    return H5Tregister(H5T_PERS_SOFT, "obliq_reference", text.id(), opaque.id(), keep_reference) >=
           0;
  }();
  return registered;
}

// The type to read values into: as stored, references in place of strings.
Hdf5Handle memory_type(const Hdf5Handle& stored) {
  if (H5Tis_variable_str(stored.id()) <= 0) return {H5Tcopy(stored.id()), H5Tclose};
  if (!conversion_registered()) throw std::runtime_error("HDF5 takes no conversion functions");
  return {H5Tcreate(H5T_OPAQUE, kHeapReferenceBytes), H5Tclose};
}

std::optional<StoredType> stored_type(const Hdf5Handle& type) {
  if (const auto number = stored_number(type.id())) {
    return StoredType{StoredType::Kind::number, number->element, number->swapped, false,
                      element_bytes(number->element)};
  }
  if (H5Tget_class(type.id()) != H5T_STRING) return std::nullopt;
  if (H5Tis_variable_str(type.id()) > 0) {
    return StoredType{StoredType::Kind::variable_text, Element::u8, false, false,
                      kHeapReferenceBytes};
  }
  const bool spaces = H5Tget_strpad(type.id()) == H5T_STR_SPACEPAD;
  return StoredType{StoredType::Kind::fixed_text, Element::u8, false, spaces,
                    H5Tget_size(type.id())};
}

class LibraryRows final : public StoredRows {
 public:
  LibraryRows(Hdf5Handle dataset, Hdf5Handle type, std::string name, int rank, std::size_t cols)
      : dataset_(std::move(dataset)),
        type_(memory_type(type)),
        name_(std::move(name)),
        rank_(rank),
        cols_(cols) {}

  void read(std::size_t first, std::size_t count, std::uint8_t* out) override {
    const Hdf5Silence silence;
    const hsize_t start[2] = {first, 0};
    const hsize_t extent[2] = {count, cols_};
    const Hdf5Handle space(H5Dget_space(dataset_.id()), H5Sclose);
    const Hdf5Handle memory(H5Screate_simple(rank_, extent, nullptr), H5Sclose);
    if (H5Sselect_hyperslab(space.id(), H5S_SELECT_SET, start, nullptr, extent, nullptr) < 0 ||
        H5Dread(dataset_.id(), type_.id(), memory.id(), space.id(), H5P_DEFAULT, out) < 0) {
      throw std::runtime_error(
          fmt::format("{}: rows {} + {} cannot be read: {}", name_, first, count, hdf5_reason()));
    }
  }

 private:
  Hdf5Handle dataset_;
  Hdf5Handle type_;
  std::string name_;
  int rank_;
  std::size_t cols_;
};

// The cache holds chunks of some megabytes, so that neighbouring reads unpack a chunk once.
Hdf5Handle dataset_access() {
  constexpr std::size_t kCacheSlots = 12421;
  constexpr std::size_t kCacheBytes = std::size_t{64} << 20;
  Hdf5Handle access(H5Pcreate(H5P_DATASET_ACCESS), H5Pclose);
  H5Pset_chunk_cache(access.id(), kCacheSlots, kCacheBytes, 1.0);
  return access;
}

Hdf5Handle open_file(const FileBytes& file, LibraryReads reads) {
  constexpr std::size_t kGrowBytes = std::size_t{1} << 16;  // unused: the file is read only
  const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_file_locking(access.id(), false, true);  // read-only folders and networks lack locks
  if (reads == LibraryReads::bytes) {
    H5Pset_fapl_core(access.id(), kGrowBytes, false);
    std::vector<std::uint8_t> copy(file.bytes.begin(), file.bytes.end());  // it wants to own one
    H5Pset_file_image(access.id(), copy.data(), copy.size());
  }
  Hdf5Handle handle(H5Fopen(file.name.c_str(), H5F_ACC_RDONLY, access.id()), H5Fclose);
  if (!handle.valid()) {
    fail_at(file.name, 0, fmt::format("not a sound HDF5 file ({})", hdf5_reason()));
  }
  return handle;
}

// Whether every packed chunk went through all filters. The mask of a chunk may lie where no
// checksum is, and the library reads beyond a chunk that it wrongly takes for unpacked.
bool all_filters_used(const Hdf5Handle& dataset, const std::vector<hsize_t>& dims,
                      const std::vector<hsize_t>& chunk) {
  const hsize_t cols = dims.size() == 2 ? dims[1] : 1;
  const hsize_t chunk_cols = dims.size() == 2 ? chunk[1] : 1;
  for (hsize_t row = 0; row < dims[0]; row += chunk[0]) {
    for (hsize_t col = 0; col < cols; col += chunk_cols) {
      const hsize_t offset[2] = {row, col};
      unsigned mask = 0;
      haddr_t address = 0;
      hsize_t bytes = 0;
      if (H5Dget_chunk_info_by_coord(dataset.id(), offset, &mask, &address, &bytes) < 0 ||
          mask != 0) {
        return false;
      }
    }
  }
  return true;
}

class LibraryContainer final : public Hdf5Container {
 public:
  LibraryContainer(const FileBytes& file, LibraryReads reads) : file_{file, 0} {
    const Hdf5Silence silence;
    handle_ = open_file(file, reads);
    const Hdf5Handle creation(H5Fget_create_plist(handle_.id()), H5Pclose);
    hsize_t base = 0;
    H5Pget_userblock(creation.id(), &base);
    file_.base = base;
  }

  bool has(const std::string& dataset) const override {
    const Hdf5Silence silence;
    return H5Lexists(handle_.id(), dataset.c_str(), H5P_DEFAULT) > 0;
  }
  StoredDataset open(const std::string& name) const override;
  std::optional<std::string> text_attribute(const std::string& name) const override;

 private:
  AddressedFile file_;
  Hdf5Handle handle_;
};

StoredDataset LibraryContainer::open(const std::string& name) const {
  const Hdf5Silence silence;
  StoredDataset dataset;
  AddressedFile named = file_;
  named.bytes.name = fmt::format("{}: dataset '{}'", file_.bytes.name, name);
  dataset.file = std::make_unique<const AddressedFile>(std::move(named));
  const auto fail = [&](std::string_view reason) {
    throw std::runtime_error(fmt::format("{}: {}", dataset.file->bytes.name, reason));
  };
  const Hdf5Handle access = dataset_access();
  Hdf5Handle handle(H5Dopen2(handle_.id(), name.c_str(), access.id()), H5Dclose);
  if (!handle.valid()) fail(hdf5_reason());
  Hdf5Handle type(H5Dget_type(handle.id()), H5Tclose);
  const Hdf5Handle space(H5Dget_space(handle.id()), H5Sclose);
  const Hdf5Handle creation(H5Dget_create_plist(handle.id()), H5Pclose);
  const auto stored = stored_type(type);
  if (!stored) fail("neither numbers nor texts");
  const int rank = H5Sget_simple_extent_ndims(space.id());
  if (rank < 0 || rank > H5S_MAX_RANK) fail(hdf5_reason());
  std::vector<hsize_t> dims(static_cast<std::size_t>(rank));
  H5Sget_simple_extent_dims(space.id(), dims.data(), nullptr);
  set_shape(dataset, {dims.begin(), dims.end()}, *stored,
            std::min<std::uint64_t>(H5Dget_storage_size(handle.id()), file_.bytes.bytes.size()),
            H5Pget_nfilters(creation.id()) > 0);
  std::vector<hsize_t> chunk(dims.size());
  if (H5Pget_layout(creation.id()) == H5D_CHUNKED) {
    if (H5Pget_chunk(creation.id(), rank, chunk.data()) != rank) fail("chunks of another rank");
    dataset.chunk_rows = chunk[0];
    const bool packed = H5Pget_nfilters(creation.id()) > 0;
    if (packed && !all_filters_used(handle, dims, chunk)) fail("a chunk is missing or half packed");
  }
  dataset.values = std::make_unique<LibraryRows>(std::move(handle), std::move(type),
                                                 dataset.file->bytes.name, rank, dataset.cols);
  return dataset;
}

std::optional<std::string> LibraryContainer::text_attribute(const std::string& name) const {
  const Hdf5Silence silence;
  if (H5Aexists(handle_.id(), name.c_str()) <= 0) return std::nullopt;
  const Hdf5Handle attribute(H5Aopen(handle_.id(), name.c_str(), H5P_DEFAULT), H5Aclose);
  if (!attribute.valid()) return std::nullopt;
  const Hdf5Handle type(H5Aget_type(attribute.id()), H5Tclose);
  const Hdf5Handle space(H5Aget_space(attribute.id()), H5Sclose);
  const auto stored = stored_type(type);
  if (!stored || stored->kind == StoredType::Kind::number || stored->width > kMaxAttributeBytes ||
      H5Sget_simple_extent_npoints(space.id()) != 1) {
    return std::nullopt;
  }
  std::vector<std::uint8_t> bytes(stored->width);
  if (H5Aread(attribute.id(), memory_type(type).id(), bytes.data()) < 0) return std::nullopt;
  if (stored->kind == StoredType::Kind::fixed_text) return trimmed(bytes.data(), *stored);
  return Hdf5Heap(file_).text(bytes.data());
}

}  // namespace

std::unique_ptr<Hdf5Container> open_by_library(const FileBytes& file, LibraryReads reads) {
  return std::make_unique<LibraryContainer>(file, reads);
}

}  // namespace obliq::datasets

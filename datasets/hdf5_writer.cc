// Every value has a fixed type in the file, whatever the machine: little-endian, IEEE.
#include "datasets/hdf5_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "datasets/element.h"
#include "datasets/hdf5_type.h"
#include "datasets/write_in_pieces.h"

namespace obliq::datasets {
namespace {

Hdf5Handle text_type() {
  Hdf5Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type.id(), H5T_VARIABLE);
  H5Tset_cset(type.id(), H5T_CSET_UTF8);
  return type;
}

std::vector<std::uint8_t> to_halves(const std::string& path, std::span<const float> values) {
  std::vector<std::uint8_t> halves(values.size() * element_bytes(Element::f16));
  const std::size_t done = from_floats(Element::f16, values, halves.data());
  if (done < values.size()) {
    throw std::invalid_argument(fmt::format("{}: {} does not fit float16", path, values[done]));
  }
  return halves;
}

}  // namespace

Hdf5Writer::Hdf5Writer(const std::string& path, Progress progress)
    : path_(path), progress_(std::move(progress)), output_(path), file_(output_.create()) {
  if (!file_.valid()) fail("HDF5 makes no file");
}

void Hdf5Writer::fail(const std::string& what) const {
  throw std::system_error(std::make_error_code(std::errc::io_error),
                          fmt::format("{}: {}: {}", path_, what, hdf5_reason()));
}

Hdf5Handle Hdf5Writer::create(const std::string& name, hid_t type,
                              const std::vector<hsize_t>& dims) const {
  const Hdf5Handle space(H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr),
                         H5Sclose);
  const Hdf5Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  H5Pset_obj_track_times(creation.id(), false);  // the same set is the same file at any time
  Hdf5Handle dataset(H5Dcreate2(file_.id(), name.c_str(), type, space.id(), H5P_DEFAULT,
                                creation.id(), H5P_DEFAULT),
                     H5Dclose);
  if (!dataset.valid()) fail(fmt::format("dataset '{}' cannot be made", name));
  return dataset;
}

void Hdf5Writer::write(const std::string& name, hid_t stored, const std::vector<hsize_t>& dims,
                       hid_t type, const void* values) const {
  const Hdf5Handle dataset = create(name, stored, dims);
  if (H5Dwrite(dataset.id(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0) {
    fail(fmt::format("dataset '{}' cannot be written", name));
  }
  output_.rethrow();
}

void Hdf5Writer::vectors(const std::string& name, const VectorSource& source, Stored stored) {
  const Hdf5Silence silence;
  const Hdf5Handle half = half_type();
  const bool halves = stored == Stored::float16;
  const Hdf5Handle dataset =
      create(name, halves ? half.id() : H5T_IEEE_F32LE, {source.rows(), source.dim()});
  const Hdf5Handle space(H5Dget_space(dataset.id()), H5Sclose);
  output_.file().expect(output_.file().size() +
                        source.rows() * source.dim() *
                            element_bytes(halves ? Element::f16 : Element::f32));
  write_in_pieces(
      source, "writing " + name, progress_, [&](std::size_t first, MatrixView<float> rows) {
        const hsize_t start[2] = {first, 0};
        const hsize_t extent[2] = {rows.rows, rows.cols};
        const Hdf5Handle memory(H5Screate_simple(2, extent, nullptr), H5Sclose);
        H5Sselect_hyperslab(space.id(), H5S_SELECT_SET, start, nullptr, extent, nullptr);
        const auto packed =
            halves ? to_halves(path_, {rows.data, rows.size()}) : std::vector<std::uint8_t>();
        const void* bytes = halves ? static_cast<const void*>(packed.data()) : rows.data;
        if (H5Dwrite(dataset.id(), halves ? half.id() : H5T_NATIVE_FLOAT, memory.id(), space.id(),
                     H5P_DEFAULT, bytes) < 0) {
          fail(fmt::format("dataset '{}' cannot be written", name));
        }
        output_.rethrow();
      });
}

void Hdf5Writer::floats(const std::string& name, MatrixView<float> values) {
  const Hdf5Silence silence;
  write(name, H5T_IEEE_F32LE, {values.rows, values.cols}, H5T_NATIVE_FLOAT, values.data);
}

void Hdf5Writer::floats(const std::string& name, const std::vector<float>& values) {
  const Hdf5Silence silence;
  write(name, H5T_IEEE_F32LE, {values.size()}, H5T_NATIVE_FLOAT, values.data());
}

void Hdf5Writer::integers(const std::string& name, MatrixView<std::int64_t> values) {
  const Hdf5Silence silence;
  const bool narrow = std::all_of(values.data, values.data + values.size(), [](std::int64_t v) {
    return v >= std::numeric_limits<std::int32_t>::min() &&
           v <= std::numeric_limits<std::int32_t>::max();
  });
  write(name, narrow ? H5T_STD_I32LE : H5T_STD_I64LE, {values.rows, values.cols}, H5T_NATIVE_INT64,
        values.data);
}

void Hdf5Writer::integers(const std::string& name, const std::vector<std::int64_t>& values) {
  const Hdf5Silence silence;
  write(name, H5T_STD_I64LE, {values.size()}, H5T_NATIVE_INT64, values.data());
}

void Hdf5Writer::strings(const std::string& name, const std::vector<std::string>& values) {
  const Hdf5Silence silence;
  const Hdf5Handle type = text_type();
  std::vector<const char*> texts(values.size());
  std::transform(values.begin(), values.end(), texts.begin(),
                 [](const std::string& value) { return value.c_str(); });
  write(name, type.id(), {values.size()}, type.id(), texts.data());
}

void Hdf5Writer::scalar(const std::string& name, hid_t stored, hid_t type,
                        const void* value) const {
  const Hdf5Handle space(H5Screate(H5S_SCALAR), H5Sclose);
  const Hdf5Handle attribute(
      H5Acreate2(file_.id(), name.c_str(), stored, space.id(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
  if (!attribute.valid() || H5Awrite(attribute.id(), type, value) < 0) {
    fail(fmt::format("attribute '{}' cannot be written", name));
  }
}

void Hdf5Writer::attribute(const std::string& name, const std::string& value) {
  const Hdf5Silence silence;
  const Hdf5Handle type = text_type();
  const char* text = value.c_str();
  scalar(name, type.id(), type.id(), &text);
}

void Hdf5Writer::attribute(const std::string& name, std::int64_t value) {
  const Hdf5Silence silence;
  scalar(name, H5T_STD_I64LE, H5T_NATIVE_INT64, &value);
}

void Hdf5Writer::attribute(const std::string& name, double value) {
  const Hdf5Silence silence;
  scalar(name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &value);
}

void Hdf5Writer::commit() {
  const Hdf5Silence silence;
  if (!file_.close()) fail("HDF5 cannot close it");
  output_.commit();
}

}  // namespace obliq::datasets

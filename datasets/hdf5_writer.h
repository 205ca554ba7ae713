// Writing HDF5 files as h5py would: contiguous datasets, UTF-8 strings of variable length.
#pragma once

#include <hdf5.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "datasets/dataset.h"
#include "datasets/hdf5_file_driver.h"
#include "datasets/hdf5_handle.h"
#include "obliq/matrix_view.h"
#include "obliq/progress.h"
#include "obliq/vector_source.h"

namespace obliq::datasets {

/// A new file, under its name once committed. Throws std::system_error when it cannot be written,
/// and Cancelled when `progress`, told how vectors get on, returns false.
class Hdf5Writer {
 public:
  explicit Hdf5Writer(const std::string& path, Progress progress = {});

  /// Writes in chunks of bounded memory.
  void vectors(const std::string& name, const VectorSource& source, Stored stored);
  void floats(const std::string& name, MatrixView<float> values);
  /// One dimension.
  void floats(const std::string& name, const std::vector<float>& values);
  /// As int32 where every value fits, else int64.
  void integers(const std::string& name, MatrixView<std::int64_t> values);
  /// One dimension, as int64.
  void integers(const std::string& name, const std::vector<std::int64_t>& values);
  void strings(const std::string& name, const std::vector<std::string>& values);
  void attribute(const std::string& name, const std::string& value);
  void attribute(const std::string& name, std::int64_t value);
  void attribute(const std::string& name, double value);
  /// Closes and renames. Call once.
  void commit();

 private:
  [[noreturn]] void fail(const std::string& what) const;
  Hdf5Handle create(const std::string& name, hid_t type, const std::vector<hsize_t>& dims) const;
  void write(const std::string& name, hid_t stored, const std::vector<hsize_t>& dims, hid_t type,
             const void* values) const;
  void scalar(const std::string& name, hid_t stored, hid_t type, const void* value) const;

  std::string path_;
  Progress progress_;
  Hdf5Output output_;
  Hdf5Handle file_;
};

}  // namespace obliq::datasets

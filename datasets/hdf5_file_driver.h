// HDF5 files that the HDF5 library makes and AtomicFile writes: a driver of the library's (its
// "virtual file layer") whose reads and writes are those of an AtomicFile. The library never sees a
// write fail, which it does not survive in every place, but keeps the error for the caller; and
// whatever holds of other output holds of HDF5 files too.
#pragma once

#include <exception>
#include <string>

#include "datasets/hdf5_handle.h"
#include "storage/atomic_file.h"

namespace obliq::datasets {

class Hdf5Output {
 public:
  /// Throws as the constructor of AtomicFile does.
  explicit Hdf5Output(const std::string& path) : file_(path, AtomicFile::Access::random) {}
  Hdf5Output(const Hdf5Output&) = delete;
  Hdf5Output& operator=(const Hdf5Output&) = delete;

  /// A new HDF5 file that lies here, to be closed before this goes. Invalid where the library
  /// refuses.
  Hdf5Handle create();
  /// Throws what a write ended with since. The library has gone on as if it had succeeded.
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }
  /// Makes the closed HDF5 file the content of the path.
  void commit() {
    rethrow();
    file_.commit();
  }

  AtomicFile& file() { return file_; }
  /// Remembers the exception that is being handled, if it is the first one.
  void keep_error() noexcept {
    if (!error_) error_ = std::current_exception();
  }
  bool has_failed() const { return error_ != nullptr; }

 private:
  AtomicFile file_;
  Hdf5Handle driver_;
  std::exception_ptr error_;
};

}  // namespace obliq::datasets

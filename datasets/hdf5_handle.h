// The HDF5 C library behind values that clean up after themselves. Its own header is not needed
// here, so that who includes the readers needs no path to it: hdf5_handle.cc checks the types.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace obliq::datasets {

using Hdf5Id = std::int64_t;  ///< hid_t

/// While it lives, HDF5 prints nothing on errors in this thread. Whoever calls the library has one:
/// handles when they close, others in the functions where they call it.
class Hdf5Silence {
 public:
  Hdf5Silence();
  ~Hdf5Silence();
  Hdf5Silence(const Hdf5Silence&) = delete;
  Hdf5Silence& operator=(const Hdf5Silence&) = delete;

 private:
  int (*print_)(Hdf5Id, void*) = nullptr;
  void* data_ = nullptr;
};

/// An HDF5 identifier and the function that closes it.
class Hdf5Handle {
 public:
  using Close = int (*)(Hdf5Id);

  Hdf5Handle() = default;
  Hdf5Handle(Hdf5Id id, Close closer) : id_(id), close_(closer) {}
  Hdf5Handle(Hdf5Handle&& other) noexcept
      : id_(std::exchange(other.id_, kNone)), close_(other.close_) {}
  Hdf5Handle& operator=(Hdf5Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  ~Hdf5Handle() {
    if (valid()) close();
  }

  Hdf5Id id() const { return id_; }
  bool valid() const { return id_ >= 0; }
  /// Closes now. Returns whether HDF5 succeeded: the last writes may fail here.
  bool close() {
    const Hdf5Silence silence;
    return close_(std::exchange(id_, kNone)) >= 0;
  }

 private:
  static constexpr Hdf5Id kNone = -1;

  Hdf5Id id_ = kNone;
  Close close_ = nullptr;
};

/// What HDF5 says of its last error: the deepest reason, "unknown error" when there is none.
std::string hdf5_reason();

}  // namespace obliq::datasets

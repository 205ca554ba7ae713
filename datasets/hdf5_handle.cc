// HDF5 keeps a stack of errors; the deepest one says what is wrong with the file.
#include "datasets/hdf5_handle.h"

#include <hdf5.h>

#include <type_traits>

namespace obliq::datasets {

static_assert(std::is_same_v<hid_t, Hdf5Id> && std::is_same_v<herr_t, int>);

// The first call of the library that this program makes. What the library does when the process
// ends, after a file that it could not close, is to close it again, and crash.
Hdf5Silence::Hdf5Silence() {
  static const int without_exit_handler = H5dont_atexit();
  (void)without_exit_handler;
  H5Eget_auto2(H5E_DEFAULT, &print_, &data_);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

Hdf5Silence::~Hdf5Silence() { H5Eset_auto2(H5E_DEFAULT, print_, data_); }

std::string hdf5_reason() {
  std::string reason;
  const auto keep_first = [](unsigned, const H5E_error2_t* error, void* data) -> herr_t {
    auto& kept = *static_cast<std::string*>(data);
    if (kept.empty() && error->desc != nullptr) kept = error->desc;
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, &reason);
  return reason.empty() ? "unknown error" : reason;
}

}  // namespace obliq::datasets

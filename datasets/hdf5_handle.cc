// HDF5 keeps a stack of errors; the deepest one says what is wrong with the file.
#include "datasets/hdf5_handle.h"

namespace obliq::datasets {

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

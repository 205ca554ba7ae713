// Any bytes as ann-benchmarks HDF5 sets.
#include <cstddef>
#include <cstdint>

#include "tests/datasets/survival.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  obliq::datasets::survive_hdf5({data, size});
  return 0;
}

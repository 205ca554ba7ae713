// Any bytes as .npy files.
#include <cstddef>
#include <cstdint>

#include "tests/datasets/survival.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  obliq::datasets::survive_npy({data, size});
  return 0;
}

// Any bytes as tables of text.
#include <cstddef>
#include <cstdint>

#include "tests/datasets/survival.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  obliq::datasets::survive_csv({data, size});
  return 0;
}

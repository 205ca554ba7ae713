// Any bytes as big-ann files (.fbin, .i8bin and truth).
#include <cstddef>
#include <cstdint>

#include "tests/datasets/survival.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  obliq::datasets::survive_big_ann({data, size});
  return 0;
}

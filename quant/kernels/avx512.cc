#include "quant/kernels/kernels.h"

namespace obliq {
void install_avx512(Kernels&) noexcept {}
}  // namespace obliq

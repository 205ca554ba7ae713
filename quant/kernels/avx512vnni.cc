#include "quant/kernels/kernels.h"

namespace obliq {
void install_avx512vnni(Kernels&) noexcept {}
}  // namespace obliq

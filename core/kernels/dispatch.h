// Chooses the kernels that run: those of the best ISA of this CPU, or of the one that OBLIQ_SIMD
// names.
#pragma once

#include <span>

#include "core/kernels/kernels.h"

namespace obliq {

/// The tables of every ISA that this CPU runs, "scalar" first, best last.
std::span<const Kernels> kernel_levels();

/// The table in use: the last of kernel_levels(), or the one named by the environment variable
/// OBLIQ_SIMD. Chosen at the first call. Throws std::invalid_argument when OBLIQ_SIMD is unknown
/// or this CPU cannot run it.
const Kernels& kernels();

}  // namespace obliq

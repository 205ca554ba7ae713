// Prints the instruction levels that this CPU runs, lowest first, a line each.
#include <cstdio>

#include "core/kernels/dispatch.h"

int main() {
  for (const obliq::Kernels& level : obliq::kernel_levels()) std::puts(level.name);
}

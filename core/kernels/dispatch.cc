// The one table of ISAs: name, needs, installer. An ISA starts as a copy of the one before it and
// replaces the kernels it improves. __builtin_cpu_supports asks the operating system
// too (XGETBV), so that wide registers which it does not save are not used.
#include "core/kernels/dispatch.h"

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

namespace obliq {
namespace {

struct Level {
  const char* name;
  bool supported;
  void (*install)(Kernels&) noexcept;
};

std::vector<Level> known_levels() {
  std::vector<Level> levels = {{"scalar", true, install_scalar}};
#if defined(__x86_64__)
  __builtin_cpu_init();
  // F16C, which the kernels use too, is in every CPU with AVX2; Clang 14 cannot ask for it.
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("avx512dq");
  const bool vnni = avx512 && __builtin_cpu_supports("avx512vnni") &&
                    __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vbmi2") &&
                    __builtin_cpu_supports("gfni");
  levels.push_back({"avx2", avx2, install_avx2});
  levels.push_back({"avx512", avx512, install_avx512});
  levels.push_back({"avx512vnni", vnni, install_avx512vnni});
#elif defined(__aarch64__)
  levels.push_back({"neon", true, install_neon});
#endif
  return levels;
}

std::vector<Kernels> build_tables() {
  std::vector<Kernels> tables;
  for (const Level& level : known_levels()) {
    if (!level.supported) continue;
    Kernels table = tables.empty() ? Kernels{} : tables.back();
    level.install(table);
    table.name = level.name;
    tables.push_back(table);
  }
  return tables;
}

const Kernels& chosen_table() {
  const char* wanted = std::getenv("OBLIQ_SIMD");
  const auto levels = kernel_levels();
  if (wanted == nullptr || *wanted == '\0') return levels.back();
  std::string valid;
  for (const Kernels& table : levels) {
    if (std::string(wanted) == table.name) return table;
    valid += std::string(valid.empty() ? "" : ", ") + table.name;
  }
  throw std::invalid_argument("OBLIQ_SIMD=" + std::string(wanted) +
                              " is not a level of this CPU; valid here: " + valid);
}

}  // namespace

std::span<const Kernels> kernel_levels() {
  static const std::vector<Kernels> tables = build_tables();
  return tables;
}

const Kernels& kernels() {
  static const Kernels& table = chosen_table();
  return table;
}

}  // namespace obliq

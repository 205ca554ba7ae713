// Asks the system for what least_of compares.
#include "core/default_threads.h"

#include <sched.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include "core/cgroup_quota.h"

namespace obliq {
namespace {

// A mask is as long as the kernel's, which a build of the kernel chooses.
int allowed_cpus() {
  constexpr std::size_t kMost = std::size_t{1} << 20;  // CPUs
  for (std::size_t cpus = 1024; cpus <= kMost; cpus *= 2) {
    std::vector<cpu_set_t> mask(CPU_ALLOC_SIZE(cpus) / sizeof(cpu_set_t));
    const std::size_t bytes = mask.size() * sizeof(cpu_set_t);
    if (::sched_getaffinity(0, bytes, mask.data()) == 0) {
      return std::max(1, CPU_COUNT_S(bytes, mask.data()));
    }
  }
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

std::optional<int> positive_number(const char* text) {
  if (text == nullptr) return std::nullopt;
  const std::string_view all(text);
  const std::string_view digits = all.substr(std::min(all.find_first_not_of(" \t"), all.size()));
  int number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const std::string_view rest = digits.substr(static_cast<std::size_t>(end - digits.data()));
  const bool whole = rest.find_first_not_of(" \t") == std::string_view::npos ||
                     rest[rest.find_first_not_of(" \t")] == ',';
  if (error != std::errc() || !whole || number < 1) return std::nullopt;
  return number;
}

// What does not change while the process runs.
struct Fixed {
  std::optional<std::string> omp_num_threads;
  std::optional<double> quota;
};

Fixed read_fixed() {
  const char* variable = std::getenv("OMP_NUM_THREADS");
  Fixed fixed;
  if (variable != nullptr) fixed.omp_num_threads = variable;
  fixed.quota = cgroup_cpu_quota();
  return fixed;
}

}  // namespace

ThreadDefault least_of(const ThreadLimits& limits) {
  ThreadDefault least{limits.allowed_cpus, "affinity mask"};
  if (limits.quota && std::ceil(*limits.quota) < least.threads) {
    least = {std::max(1, static_cast<int>(std::ceil(*limits.quota))), "cgroup quota"};
  }
  const std::optional<int> wanted = positive_number(limits.omp_num_threads);
  if (wanted && *wanted < least.threads) least = {*wanted, "OMP_NUM_THREADS"};
  return least;
}

ThreadDefault default_threads() {
  static const Fixed fixed = read_fixed();
  const char* variable = fixed.omp_num_threads ? fixed.omp_num_threads->c_str() : nullptr;
  return least_of({variable, allowed_cpus(), fixed.quota});
}

}  // namespace obliq

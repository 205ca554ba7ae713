#include "core/parallel.h"

#include <omp.h>

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <string>

namespace obliq {

int resolve_threads(int threads) {
  if (threads < 0) {
    throw std::invalid_argument("threads must be 0 (all cores) or more, not " +
                                std::to_string(threads));
  }
  return threads == 0 ? omp_get_num_procs() : threads;
}

void parallel_for(std::size_t n, std::size_t grain, int threads,
                  const std::function<void(std::size_t, std::size_t, int)>& body) {
  grain = std::max<std::size_t>(grain, 1);
  const std::size_t pieces = (n + grain - 1) / grain;
  const int team = static_cast<int>(
      std::min<std::size_t>(static_cast<std::size_t>(resolve_threads(threads)), pieces));
  if (team <= 1) {
    for (std::size_t p = 0; p < pieces; ++p) body(p * grain, std::min(n, (p + 1) * grain), 0);
    return;
  }
  std::exception_ptr failure;
#pragma omp parallel for num_threads(team) schedule(dynamic)
  for (std::size_t p = 0; p < pieces; ++p) {
    try {
      body(p * grain, std::min(n, (p + 1) * grain), omp_get_thread_num());
    } catch (...) {
#pragma omp critical(obliq_parallel_for)
      if (!failure) failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace obliq

#include "core/parallel.h"

#include <omp.h>

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <string>

#include "core/default_threads.h"
#include "core/team_size.h"

namespace obliq {

int resolve_threads(int threads) {
  if (threads < 0) {
    throw std::invalid_argument("threads must be 0 (as many as the process may use) or more, not " +
                                std::to_string(threads));
  }
  return std::min(threads == 0 ? default_threads().threads : threads, kMostThreads);
}

void parallel_for(std::size_t n, std::size_t grain, int threads,
                  const std::function<void(std::size_t, std::size_t, int)>& body) {
  grain = std::max<std::size_t>(grain, 1);
  const std::size_t pieces = n / grain + (n % grain > 0 ? 1 : 0);
  const int size = team_size(static_cast<int>(
      std::min<std::size_t>(static_cast<std::size_t>(resolve_threads(threads)), pieces)));
  const auto piece = [&](std::size_t p, int thread) {
    body(p * grain, std::min(n - p * grain, grain) + p * grain, thread);
  };
  if (size <= 1) {
    for (std::size_t p = 0; p < pieces; ++p) piece(p, 0);
    return;
  }
  std::exception_ptr failure;
#pragma omp parallel for num_threads(size) schedule(dynamic)
  for (std::size_t p = 0; p < pieces; ++p) {
    try {
      piece(p, omp_get_thread_num());
    } catch (...) {
#pragma omp critical(obliq_parallel_for)
      if (!failure) failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace obliq

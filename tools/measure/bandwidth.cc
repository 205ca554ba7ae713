#include "tools/measure/bandwidth.h"

#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <new>

#include "core/kernels/dispatch.h"

namespace obliq::tools {
namespace {

constexpr std::size_t kFirst = std::size_t{1} << 18;
constexpr std::size_t kLast = std::size_t{1} << 28;
constexpr std::size_t kHugePage = std::size_t{1} << 21;
constexpr std::size_t kRow = 1024;  // floats per call; the other factor stays in the first cache
constexpr double kSeconds = 0.03;   // a buffer

struct Free {
  void operator()(float* pointer) const { std::free(pointer); }
};

// On huge pages where the system has them, as indexes that are read into memory.
std::unique_ptr<float, Free> buffer() {
  auto* start = static_cast<float*>(std::aligned_alloc(kHugePage, kLast));
  if (start == nullptr) throw std::bad_alloc();
  ::madvise(start, kLast, MADV_HUGEPAGE);  // only advice: failure costs nothing
  std::fill_n(start, kLast / sizeof(float), 1.0F);
  return std::unique_ptr<float, Free>(start);
}

double seconds_of_pass(const float* data, std::size_t bytes, const std::vector<float>& factor,
                       float& sum) {
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < bytes / sizeof(float); i += kRow) {
    sum += kernels().dot(factor.data(), data + i, kRow);
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

std::vector<Bandwidth> measure_bandwidth() {
  const auto data = buffer();
  const std::vector<float> factor(kRow, 1.0F);
  std::vector<Bandwidth> ladder;
  volatile float kept = 0;  // so that no pass is optimised away
  for (std::size_t bytes = kFirst; bytes <= kLast; bytes *= 4) {
    float sum = 0;
    double best = seconds_of_pass(data.get(), bytes, factor, sum);
    for (double spent = 0; spent < kSeconds;) {
      const double seconds = seconds_of_pass(data.get(), bytes, factor, sum);
      best = std::min(best, seconds);
      spent += seconds;
    }
    kept = kept + sum;
    ladder.push_back({bytes, static_cast<double>(bytes) / best / 1e9});
  }
  return ladder;
}

const Bandwidth& bandwidth_for(const std::vector<Bandwidth>& ladder, std::size_t bytes) {
  for (const Bandwidth& step : ladder) {
    if (step.buffer >= bytes) return step;
  }
  return ladder.back();
}

}  // namespace obliq::tools

// Reads arbitrary bytes as the section `tuning` of an index file. Whatever is accepted must be the
// same bytes when it is written again, and must give a plan, or a refusal, for every recall and k.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>

#include "index/segment/tuning_section.h"
#include "index/tune/recall_plan.h"

namespace obliq {
namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void plan_all(const Tuning& tuning) {
  constexpr std::size_t kVectors = 20000;
  constexpr std::size_t kLists = 1000;
  for (const std::size_t k : {1U, 2U, 10U, 64U, 100U, 5000U, 30000U}) {
    const StopPolicy usual = plan_default(tuning, k, {kVectors, kLists});
    require(usual.nprobe >= 1 && usual.nprobe <= kLists);
    for (const double recall : {1e-9, 0.5, 0.9, 0.951, 0.99, 0.999999}) {
      try {
        const StopPolicy plan = plan_recall(tuning, recall, k, {kVectors, kLists});
        require(plan.nprobe >= 1 && plan.nprobe <= kLists);
        require(!plan.threshold || *plan.threshold == *plan.threshold);
      } catch (const std::invalid_argument&) {  // out of reach
      }
    }
  }
}

}  // namespace
}  // namespace obliq

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  try {
    const obliq::Tuning tuning = obliq::read_tuning(bytes);
    const auto again = obliq::write_tuning(tuning);
    obliq::require(std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()));
    obliq::plan_all(tuning);
  } catch (const std::invalid_argument&) {  // damaged
  }
  return 0;
}

// Trains the tables of quant/trellis/trellis_tables.cc and prints that file's constants:
//     train_trellis
// Many random tables are trained with a few Lloyd passes; the best of them is trained to the end,
// each pass on new draws. The same bits on every platform. Cost: two minutes.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "measure/trellis_training.h"
#include "quant/level_code.h"

namespace obliq {
namespace {

struct Schedule {
  std::size_t passes;
  std::size_t sequences;  // of each pass
};

constexpr std::uint64_t kStarts = 256;
constexpr Schedule kTrial = {80, 40};
constexpr Schedule kTraining[] = {{300, 200}, {40, 2000}};
constexpr Schedule kJudging = {1, 400};  // with the draws of seed 0, which no training has

Trellis::Levels train(std::size_t bits, Trellis::Levels levels, const Schedule& schedule,
                      std::uint64_t seed) {
  for (std::size_t pass = 1; pass <= schedule.passes; ++pass) {
    levels = lloyd_pass(bits, levels, schedule.sequences, seed << 32 | pass).levels;
  }
  return levels;
}

double judge(std::size_t bits, const Trellis::Levels& levels) {
  return lloyd_pass(bits, levels, kJudging.sequences, 0).distortion;
}

Trellis::Levels best_table(std::size_t bits) {
  Trellis::Levels best{};
  double least = INFINITY;
  for (std::uint64_t seed = 1; seed <= kStarts; ++seed) {
    const Trellis::Levels levels = train(bits, random_levels(bits, seed), kTrial, seed);
    const double distortion = judge(bits, levels);
    if (distortion < least) best = levels;
    least = std::min(least, distortion);
  }
  for (const Schedule& schedule : kTraining) {
    best = train(bits, best, schedule, kStarts + schedule.sequences);
  }
  return best;
}

void print(std::size_t bits, const Trellis::Levels& levels) {
  const float largest = *std::max_element(levels.begin(), levels.end());
  const double unit = double{largest} / LevelCode::kMaxLevel;
  fmt::print("    // {} bits: D = {:.5f}\n    {{{:.9g},\n     {{", bits, judge(bits, levels), unit);
  for (std::size_t s = 0; s < levels.size() / 2; ++s) {
    fmt::print("{}{}", s == 0 ? "" : ", ", std::lround(levels[s] / unit));
  }
  fmt::print("}}}},\n");
}

}  // namespace
}  // namespace obliq

int main() {
  for (std::size_t bits = 1; bits <= 4; ++bits) obliq::print(bits, obliq::best_table(bits));
  return 0;
}

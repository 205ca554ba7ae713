#include "measure/trellis_training.h"

#include <array>
#include <cmath>
#include <numeric>
#include <vector>

#include "core/random.h"

namespace obliq {
namespace {

constexpr std::size_t kSequence = 1024;

// Coordinates that took a level, and their sum.
struct Cell {
  double count = 0;
  double sum = 0;
};

}  // namespace

Trellis::Levels random_levels(std::size_t bits, std::uint64_t seed) {
  Random random(seed);
  const double deviation = std::sqrt(1 - std::ldexp(1, -2 * static_cast<int>(bits)));
  Trellis::Levels levels;
  for (std::size_t s = 0; s < levels.size() / 2; ++s) {
    levels[s] = static_cast<float>(random.gaussian() * deviation);
    levels[levels.size() - 1 - s] = -levels[s];
  }
  return levels;
}

LloydPass lloyd_pass(std::size_t bits, const Trellis::Levels& levels, std::size_t sequences,
                     std::uint64_t seed) {
  Random random(seed);
  const Trellis trellis(bits, levels);
  std::vector<float> x(kSequence);
  Trellis::Table numbers;
  std::iota(numbers.begin(), numbers.end(), std::int16_t{0});
  std::vector<std::int16_t> states(kSequence);
  std::vector<std::uint8_t> code(trellis.code_bytes(kSequence));
  std::array<Cell, Trellis::kStates> cells;
  double error = 0;
  for (std::size_t n = 0; n < sequences; ++n) {
    for (float& value : x) value = static_cast<float>(random.gaussian());
    error += trellis.encode(x.data(), kSequence, code.data());
    trellis.look_up(code.data(), kSequence, numbers, states.data());
    for (std::size_t i = 0; i < kSequence; ++i) {
      cells[states[i]].count += 1;
      cells[states[i]].sum += x[i];
    }
  }
  LloydPass pass{error / static_cast<double>(sequences * kSequence), levels};
  for (std::size_t s = 0; s < levels.size() / 2; ++s) {
    const std::size_t mirror = levels.size() - 1 - s;
    const double count = cells[s].count + cells[mirror].count;
    if (count == 0) continue;
    pass.levels[s] = static_cast<float>((cells[s].sum - cells[mirror].sum) / count);
    pass.levels[mirror] = -pass.levels[s];
  }
  return pass;
}

}  // namespace obliq

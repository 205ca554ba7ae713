#include "quant/water_filling/water_filling.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <queue>
#include <utility>

#include "quant/bit_stream.h"
#include "quant/codebook.h"

namespace obliq {
namespace {

constexpr std::uint64_t kMostInField = std::uint64_t{1} << 32;

std::vector<double> make_level_distortions() {
  std::vector<double> table(kMaxLevels + 1, 1.0);
  for (std::size_t n = 2; n <= kMaxLevels; ++n) table[n] = distortion(normal_codebook_of(n));
  return table;
}

std::vector<std::size_t> levels_at_price(std::span<const double> variances, double price) {
  const std::span<const double> losses = level_distortions();
  std::vector<double> costs(kMaxLevels + 1);
  for (std::size_t n = 1; n <= kMaxLevels; ++n) {
    costs[n] = price * std::log2(static_cast<double>(n));
  }
  std::vector<std::size_t> counts;
  for (const double variance : variances) {
    std::size_t best = 1;
    for (std::size_t n = 2; n <= kMaxLevels; ++n) {
      if (variance * losses[n] + costs[n] < variance * losses[best] + costs[best]) best = n;
    }
    counts.push_back(best);
  }
  return counts;
}

}  // namespace

std::span<const double> level_distortions() {
  static const std::vector<double> table = make_level_distortions();
  return table;
}

// One bit at a time to where it helps most: D(2^b) is convex, so that greed is best.
std::vector<std::size_t> allot_whole_bits(std::span<const double> variances, std::size_t bits) {
  const std::span<const double> losses = level_distortions();
  std::vector<std::size_t> counts(variances.size(), 1);
  // (gain, -component): among equals the first component comes first.
  std::priority_queue<std::pair<double, std::ptrdiff_t>> gains;
  const auto offer = [&](std::size_t i) {
    const double gain = variances[i] * (losses[counts[i]] - losses[2 * counts[i]]);
    if (gain > 0) gains.emplace(gain, -static_cast<std::ptrdiff_t>(i));
  };
  for (std::size_t i = 0; i < counts.size(); ++i) offer(i);
  for (; bits > 0 && !gains.empty(); --bits) {
    const auto i = static_cast<std::size_t>(-gains.top().second);
    gains.pop();
    counts[i] *= 2;
    if (counts[i] < kMaxLevels) offer(i);
  }
  return counts;
}

std::vector<std::size_t> allot_levels(std::span<const double> variances, std::size_t bits) {
  std::vector<std::size_t> fitting(variances.size(), 1);
  const double largest = *std::max_element(variances.begin(), variances.end());
  if (largest <= 0) return fitting;
  double low = std::log(largest) - 20;  // below what the 256th level of any is worth
  double high = std::log(largest) + 1;
  for (int step = 0; step < 50; ++step) {
    const double middle = 0.5 * (low + high);
    auto counts = levels_at_price(variances, std::exp(middle));
    const bool fits = MixedRadix(counts).bits() <= bits;
    (fits ? high : low) = middle;
    if (fits) fitting = std::move(counts);
  }
  return fitting;
}

MixedRadix::MixedRadix(std::span<const std::size_t> counts)
    : counts_(counts.begin(), counts.end()) {
  std::size_t first = 0;
  while (first < counts_.size()) {
    Field best{first, 0, 0};
    double least_waste = 2;
    std::uint64_t product = 1;
    for (std::size_t i = first; i < counts_.size(); ++i) {
      product *= counts_[i];
      if (product > kMostInField) break;
      const auto width = static_cast<unsigned>(std::bit_width(product - 1));
      const double used = std::log2(static_cast<double>(product));
      const double waste = width == 0 ? 0 : (width - used) / width;
      if (waste < least_waste) {
        least_waste = waste;
        best = {first, i - first + 1, width};
      }
    }
    fields_.push_back(best);
    bits_ += best.width;
    first += best.size;
  }
}

void MixedRadix::pack(const std::uint8_t* indices, std::uint8_t* stream) const {
  std::fill_n(stream, stream_bytes(bits_), std::uint8_t{0});
  std::size_t at = 0;
  for (const Field& field : fields_) {
    std::uint64_t number = 0;
    for (std::size_t i = field.first + field.size; i-- > field.first;) {
      assert(indices[i] < counts_[i]);
      number = number * counts_[i] + indices[i];
    }
    write_bits(stream, at, field.width, static_cast<std::uint32_t>(number));
    at += field.width;
  }
}

void MixedRadix::unpack(const std::uint8_t* stream, std::uint8_t* indices) const {
  std::size_t at = 0;
  for (const Field& field : fields_) {
    std::uint32_t number = read_bits(stream, at, field.width);
    at += field.width;
    for (std::size_t i = field.first; i < field.first + field.size; ++i) {
      indices[i] = static_cast<std::uint8_t>(number % counts_[i]);
      number /= counts_[i];
    }
  }
}

}  // namespace obliq

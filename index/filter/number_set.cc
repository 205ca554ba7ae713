// A bit per number of the range is the faster form, and is chosen where it takes no more memory
// than the table, or fits in the first cache. The empty slots of the table hold a number that the
// set lacks, the least one from 0 on. Hashes are the upper bits of a product (Knuth's, by 2^64 over
// the golden ratio), so that more bits of the same product serve the bits in front.
#include "index/filter/number_set.h"

#include <bit>

namespace obliq {
namespace {

constexpr std::size_t kSmall = 4096;      // words, 32 kB
constexpr std::size_t kBitsPerSlot = 16;  // one number in 32 that the set lacks may be in it

}  // namespace

NumberSet::NumberSet(const std::vector<std::int64_t>& numbers) {
  if (numbers.empty()) return;
  const std::size_t slots = std::bit_ceil(2 * numbers.size());
  const std::uint64_t span =
      static_cast<std::uint64_t>(numbers.back()) - static_cast<std::uint64_t>(numbers.front());
  if (span / 64 < std::max(slots, kSmall)) {
    least_ = numbers.front();
    bits_.resize(span / 64 + 1);
    fill_bits(numbers);
    return;
  }
  slot_shift_ = 64 - std::countr_zero(slots);
  slots_.resize(slots);
  mask_ = slots - 1;
  const std::size_t bits = std::max<std::size_t>(kBitsPerSlot * slots, 64);
  bit_shift_ = 64 - std::countr_zero(bits);
  bits_.resize(bits / 64);
  fill_slots(numbers);
}

void NumberSet::fill_bits(const std::vector<std::int64_t>& numbers) {
  for (const std::int64_t number : numbers) {
    const std::uint64_t place =
        static_cast<std::uint64_t>(number) - static_cast<std::uint64_t>(least_);
    bits_[place / 64] |= std::uint64_t{1} << place % 64;
  }
}

void NumberSet::fill_slots(const std::vector<std::int64_t>& numbers) {
  for (const std::int64_t number : numbers) {
    if (number == empty_) ++empty_;
  }
  std::fill(slots_.begin(), slots_.end(), empty_);
  for (const std::int64_t number : numbers) {
    const std::uint64_t place = mixed(number) >> bit_shift_;
    bits_[place / 64] |= std::uint64_t{1} << place % 64;
    std::size_t slot = first_slot(number);
    while (slots_[slot] != empty_) slot = (slot + 1) & mask_;
    slots_[slot] = number;
  }
}

}  // namespace obliq

#include "quant/trellis/trellis.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <vector>

#include "core/kernels/dispatch.h"

namespace obliq {
namespace {

constexpr std::size_t kStateBits = 8;
// Below this many bits every seam is tried: where the ring is not much longer than the search
// around the seam remembers, a bad one costs 1 % of distortion at 64 bits and 40 % at 24.
constexpr std::size_t kFewBits = 64;

// The bits of the ring from `first`, lowest first; the ring may be shorter than a state.
std::uint8_t state_at(const std::uint8_t* code, std::size_t ring_bits, std::size_t first) {
  unsigned state = 0;
  for (std::size_t bit = 0; bit < kStateBits; ++bit) {
    const std::size_t at = (first + bit) % ring_bits;
    state |= (code[at / 8] >> (at % 8) & 1U) << bit;
  }
  return static_cast<std::uint8_t>(state);
}

// `count` bytes as one word, the first lowest.
std::uint64_t load_word(const std::uint8_t* bytes, std::size_t count) {
  std::uint64_t word = 0;
  for (std::size_t b = 0; b < count; ++b) word |= std::uint64_t{bytes[b]} << (8 * b);
  return word;
}

// The bits of the ring from `first` to its end, of which there are at most 40, and its first 8.
std::uint64_t end_of_ring(const std::uint8_t* code, std::size_t ring_bits, std::size_t first) {
  const std::size_t rest = ring_bits - first;
  const std::uint64_t word = load_word(code + first / 8, (ring_bits + 7) / 8 - first / 8);
  const std::uint64_t end = (word >> (first % 8)) & ((std::uint64_t{1} << rest) - 1);
  return end | std::uint64_t{code[0]} << rest;
}

}  // namespace

Trellis::Trellis(std::size_t bits, const Levels& levels)
    : kernels_(kernels()), bits_(bits), levels_(levels) {
  assert(bits >= 1 && bits <= 4);
}

void Trellis::look_up(const std::uint8_t* code, std::size_t dim, const Table& table,
                      std::int16_t* out) const {
  const std::size_t ring_bits = dim * bits_;
  std::size_t i = 0;
  if (ring_bits < kStateBits) {
    for (; i < dim; ++i) out[i] = table[state_at(code, ring_bits, i * bits_)];
    return;
  }
  // Eight states from each bits_ + 1 bytes, while those are inside the ring.
  for (; (i + 7) * bits_ + kStateBits <= ring_bits; i += 8) {
    const std::uint64_t word = load_word(code + i * bits_ / 8, bits_ + 1);
    for (std::size_t j = 0; j < 8; ++j) {
      out[i + j] = table[static_cast<std::uint8_t>(word >> (j * bits_))];
    }
  }
  std::uint64_t word = end_of_ring(code, ring_bits, i * bits_);
  for (; i < dim; ++i, word >>= bits_) out[i] = table[static_cast<std::uint8_t>(word)];
}

std::int32_t Trellis::product(const std::uint8_t* code, std::size_t dim, const Table& table,
                              const std::int16_t* query) const {
  const std::size_t ring_bits = dim * bits_;
  std::int32_t sum = 0;
  if (ring_bits < kStateBits) {
    for (std::size_t i = 0; i < dim; ++i) {
      sum += table[state_at(code, ring_bits, i * bits_)] * query[i];
    }
    return sum;
  }
  std::size_t i = (ring_bits - kStateBits) / bits_ + 1;  // states that do not reach the seam
  sum = kernels_.dot_windows(code, bits_, table.data(), query, i);
  std::uint64_t word = end_of_ring(code, ring_bits, i * bits_);
  for (; i < dim; ++i, word >>= bits_) sum += table[static_cast<std::uint8_t>(word)] * query[i];
  return sum;
}

float Trellis::encode(const float* x, std::size_t dim, std::uint8_t* code) const {
  if (dim * bits_ < kStateBits) return try_all(x, dim, code);
  const bool few = dim * bits_ < kFewBits;
  const std::size_t first = few ? 0 : find_seam(x, dim);
  const std::size_t last = few ? groups() - 1 : first;
  std::vector<std::uint8_t> choices(dim * groups());
  float least = std::numeric_limits<float>::infinity();
  for (std::size_t seam = first; seam <= last; ++seam) {
    const Path path = search(x, dim, seam, choices);
    if (path.cost < least) write(path.first_state, choices, dim, code);
    least = std::min(least, path.cost);
  }
  return least;
}

// The state before the last coordinate is the first one, of which `seam` are the low bits: those
// that stay in the next state, and name its group.
Trellis::Path Trellis::search(const float* x, std::size_t dim, std::size_t seam,
                              std::span<std::uint8_t> choices) const {
  std::array<float, kStates> costs;
  costs.fill(std::numeric_limits<float>::infinity());
  for (std::size_t s = seam; s < kStates; s += groups()) costs[s] = 0;
  kernels_.viterbi(x, dim, levels_.data(), bits_, costs.data(), choices.data());
  Path path{seam, costs[seam]};
  for (std::size_t s = seam; s < kStates; s += groups()) {
    if (costs[s] < path.cost) path = {s, costs[s]};
  }
  return path;
}

void Trellis::write(std::size_t state, std::span<const std::uint8_t> choices, std::size_t dim,
                    std::uint8_t* code) const {
  std::fill_n(code, code_bytes(dim), std::uint8_t{0});
  for (std::size_t i = 0; i < dim; ++i) {
    const std::size_t own = state & ((std::size_t{1} << bits_) - 1);
    const std::size_t at = i * bits_;
    code[at / 8] = static_cast<std::uint8_t>(code[at / 8] | own << (at % 8));
    if (at % 8 + bits_ > 8) code[at / 8 + 1] = static_cast<std::uint8_t>(own >> (8 - at % 8));
    state = before(state, choices.data() + i * groups());
  }
}

// Where the best path through the coordinates around the seam, the last ones and then the first,
// passes it: paths that differ before have met by then, and what comes after hardly matters.
std::size_t Trellis::find_seam(const float* x, std::size_t dim) const {
  const std::size_t reach = 8 * kStateBits / bits_;
  std::vector<float> around(2 * reach);
  for (std::size_t i = 0; i < reach; ++i) {
    around[reach + i] = x[i % dim];
    around[reach - 1 - i] = x[dim - 1 - i % dim];
  }
  std::array<float, kStates> costs{};
  std::vector<std::uint8_t> choices(around.size() * groups());
  kernels_.viterbi(around.data(), around.size(), levels_.data(), bits_, costs.data(),
                   choices.data());
  auto state =
      static_cast<std::size_t>(std::min_element(costs.begin(), costs.end()) - costs.begin());
  for (std::size_t i = 0; i < reach; ++i) state = before(state, choices.data() + i * groups());
  return state % groups();
}

float Trellis::try_all(const float* x, std::size_t dim, std::uint8_t* code) const {
  float best = std::numeric_limits<float>::infinity();
  for (unsigned ring = 0; ring < 1U << (dim * bits_); ++ring) {
    const auto byte = static_cast<std::uint8_t>(ring);
    float cost = 0;
    for (std::size_t i = 0; i < dim; ++i) {
      const float error = x[i] - levels_[state_at(&byte, dim * bits_, i * bits_)];
      cost += error * error;
    }
    if (cost < best) {
      best = cost;
      *code = byte;
    }
  }
  return best;
}

}  // namespace obliq

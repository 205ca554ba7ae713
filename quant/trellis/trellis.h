// Trellis-coded quantization on a bit-shift trellis (Marcellin and Fischer, IEEE Trans. Comm. 38,
// 1990; the trellis of QTIP, arXiv 2406.11235). The code of dim coordinates is a ring of dim * bits
// bits, little-endian; coordinate i has the bits from i * bits, and its level is looked up by the 8
// bits of the ring from there, its own and those of the coordinates after it:
//
//     state_i = ring[i bits .. i bits + 8)        y_i = levels[state_i]
//
// So each coordinate has a choice of 2^bits levels, but out of a table of 256 that the next ones
// decide, which is worth .17 to .3 bit per coordinate over the best scalar code. The ring closes
// (tail-biting), which saves the 8 - bits bits that would name the first state.
//
// The encoder looks for the levels nearest to x with the Viterbi algorithm, from the last
// coordinate to the first: state_i = (state_{i+1} << bits | own bits) mod 256.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/kernels/kernels.h"

namespace obliq {

class Trellis {
 public:
  static constexpr std::size_t kStates = 256;
  using Levels = std::array<float, kStates>;
  using Table = std::array<std::int16_t, kStates>;

  /// Requires 1 <= bits <= 4.
  Trellis(std::size_t bits, const Levels& levels);

  std::size_t bits() const { return bits_; }
  /// Bytes of a code; what the last byte has beyond dim * bits bits is 0.
  std::size_t code_bytes(std::size_t dim) const { return (dim * bits_ + 7) / 8; }

  /// Writes the code of x, dim finite floats, and returns the squared error |x - y|^2 that the
  /// search counted: the best code where dim * bits < 64, else the best with the bits at the seam
  /// that look best from the coordinates around it. Cost: dim + 128/bits steps of 512 operations,
  /// some 20 ns each on AVX-512; for short codes up to 128 dim steps.
  float encode(const float* x, std::size_t dim, std::uint8_t* code) const;

  /// Writes table[state_i] for dim coordinates. Any code bytes are safe.
  void look_up(const std::uint8_t* code, std::size_t dim, const Table& table,
               std::int16_t* out) const;

  /// sum_i table[state_i] * query[i], exact, as the kernel dot_windows.
  std::int32_t product(const std::uint8_t* code, std::size_t dim, const Table& table,
                       const std::int16_t* query) const;

 private:
  struct Path {
    std::size_t first_state;
    float cost;
  };

  std::size_t groups() const { return kStates >> bits_; }
  /// The state that the search came from to `state`, state_{i+1}; `choices` are those of step i.
  std::size_t before(std::size_t state, const std::uint8_t* choices) const {
    const std::size_t group = state >> bits_;
    return choices[group] * groups() + group;
  }
  std::size_t find_seam(const float* x, std::size_t dim) const;
  Path search(const float* x, std::size_t dim, std::size_t seam,
              std::span<std::uint8_t> choices) const;
  void write(std::size_t state, std::span<const std::uint8_t> choices, std::size_t dim,
             std::uint8_t* code) const;
  float try_all(const float* x, std::size_t dim, std::uint8_t* code) const;

  const Kernels& kernels_;
  std::size_t bits_;
  Levels levels_;
};

}  // namespace obliq

// How a code splits its bits among independent Gaussian components of given variances: reverse
// water-filling, with Lloyd-Max levels. Component i takes N_i levels (1: nothing is sent) and loses
// variance_i D(N_i), where D(N) is the distortion of the N-level Lloyd-Max code.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace obliq {

/// The most levels of a component: indices are bytes.
inline constexpr std::size_t kMaxLevels = 256;

/// D(N) of the normal law for N = 0..256; 1 at 0 and 1.
std::span<const double> level_distortions();

/// Levels in powers of two: the best allotment of `bits` bits in all, at most 8 per component. Bits
/// that would lower no loss are left out.
std::vector<std::size_t> allot_whole_bits(std::span<const double> variances, std::size_t bits);

/// Any numbers of levels, within `bits` bits as MixedRadix packs them: those that minimise
/// variance_i D(N_i) + price * log2 N_i at the lowest price that fits.
std::vector<std::size_t> allot_levels(std::span<const double> variances, std::size_t bits);

/// Indices below any numbers of levels, packed. A field of at most 32 bits holds the number
/// i_0 + N_0 (i_1 + N_1 (i_2 + ...)) of as many components as waste the smallest share of it: one
/// where N is a power of two. Fields follow each other as in bit_stream.h.
class MixedRadix {
 public:
  /// 1 <= counts[i] <= 256.
  explicit MixedRadix(std::span<const std::size_t> counts);

  std::size_t bits() const { return bits_; }
  /// Packs counts.size() indices, each below its count, into stream_bytes(bits()) bytes.
  void pack(const std::uint8_t* indices, std::uint8_t* stream) const;
  /// Writes counts.size() indices, each below its count whatever the bytes are.
  void unpack(const std::uint8_t* stream, std::uint8_t* indices) const;

 private:
  struct Field {
    std::size_t first;  // component
    std::size_t size;   // components
    unsigned width;     // bits
  };

  std::vector<std::uint32_t> counts_;
  std::vector<Field> fields_;
  std::size_t bits_ = 0;
};

}  // namespace obliq

// An index file carries a seed, not a rotation: whoever opens it draws the same one, whatever the
// platform and SIMD level. The hashes were recorded on x86-64 and are the same on AArch64; they
// may only change together with the format version.
#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <span>
#include <vector>

#include "obliq/rotation.h"
#include "quant/random.h"

namespace obliq {
namespace {

/// FNV-1a over the bits of floats, each as a 64-bit word, low byte first.
void add_to_hash(std::uint64_t& hash, std::span<const float> values) {
  for (const float value : values) {
    const std::uint64_t word = std::bit_cast<std::uint32_t>(value);
    for (int byte = 0; byte < 8; ++byte) {
      hash = (hash ^ (word >> (8 * byte) & 0xFFU)) * 0x100000001B3ULL;
    }
  }
}

/// Hash of a Gaussian vector rotated, then of the same rotated back.
std::uint64_t hash_of(const Rotation& rotation) {
  Random random(rotation.dim());
  std::vector<float> x(rotation.dim());
  for (float& value : x) value = static_cast<float>(random.gaussian());
  std::uint64_t hash = 0xCBF29CE484222325ULL;
  rotation.apply(x.data());
  add_to_hash(hash, x);
  rotation.apply_inverse(x.data());
  add_to_hash(hash, x);
  return hash;
}

struct Golden {
  std::size_t dim;
  std::uint64_t hash;
};

TEST(Platform, RotationsHaveTheSameBitsEverywhere) {
  for (const Golden& golden : {Golden{1, 0xA7CD346971734735ULL},
                               {2, 0xC6378F2C8F43664CULL},
                               {16, 0x590F03C7EAB70239ULL},
                               {31, 0xFA294C1768D84E0DULL},
                               {33, 0xA6369964BC66CE46ULL},
                               {64, 0x7356BF1F42CE6035ULL},
                               {96, 0xB457926F15E0A388ULL},
                               {100, 0x12DC8E1AFF6A9203ULL},
                               {384, 0x4E944ED31723D2B1ULL},
                               {960, 0xC5E8F002A42FE7A0ULL},
                               {4100, 0xCAC1063878C88153ULL}}) {
    EXPECT_EQ(hash_of(*make_rotation(golden.dim, 17)), golden.hash) << "dim " << golden.dim;
  }
}

TEST(Platform, HaarRotationsHaveTheSameBitsEverywhere) {
  EXPECT_EQ(hash_of(*make_haar_rotation(96, 5)), 0x21D047996B41C4BBULL);
}

}  // namespace
}  // namespace obliq

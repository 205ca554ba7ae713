// An index file carries a seed, not a rotation: whoever opens it draws the same one, whatever the
// platform and SIMD level; and parts built on different machines hold the same codes. The hashes
// were recorded on x86-64 and are the same on AArch64; those of rotations may only change together
// with the format version.
#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/random.h"
#include "obliq/quantizer.h"
#include "obliq/rotation.h"

namespace obliq {
namespace {

constexpr std::uint64_t kEmptyHash = 0xCBF29CE484222325ULL;

/// FNV-1a over words, each as 64 bits, low byte first.
void add_to_hash(std::uint64_t& hash, std::uint64_t word) {
  for (int byte = 0; byte < 8; ++byte) {
    hash = (hash ^ (word >> (8 * byte) & 0xFFU)) * 0x100000001B3ULL;
  }
}

void add_to_hash(std::uint64_t& hash, std::span<const float> values) {
  for (const float value : values) add_to_hash(hash, std::bit_cast<std::uint32_t>(value));
}

std::vector<float> gaussian_vector(Random& random, std::size_t dim) {
  std::vector<float> x(dim);
  for (float& value : x) value = static_cast<float>(random.gaussian());
  return x;
}

/// Hash of a Gaussian vector rotated, then of the same rotated back.
std::uint64_t hash_of(const Rotation& rotation) {
  Random random(rotation.dim());
  std::vector<float> x = gaussian_vector(random, rotation.dim());
  std::uint64_t hash = kEmptyHash;
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
                               {33, 0x8B9956779DB98F6EULL},
                               {64, 0x9DFBCA8B9C708B19ULL},
                               {96, 0xD91B50D9B98DE276ULL},
                               {100, 0x285F2B398EA5D1C2ULL},
                               {384, 0x27CA836AF783905FULL},
                               {960, 0xF23EC9F8E27A700FULL},
                               {4100, 0xB990295251836E14ULL}}) {
    EXPECT_EQ(hash_of(*make_rotation(golden.dim, 17)), golden.hash) << "dim " << golden.dim;
  }
}

TEST(Platform, HaarRotationsHaveTheSameBitsEverywhere) {
  EXPECT_EQ(hash_of(*make_haar_rotation(96, 5)), 0x21D047996B41C4BBULL);
}

/// Hash of the codes and factors of a thousand Gaussian vectors.
std::uint64_t hash_of(const Quantizer& quantizer) {
  Random random(8);
  std::vector<std::uint8_t> code(quantizer.layout().code_bytes);
  std::uint64_t hash = kEmptyHash;
  for (int i = 0; i < 1000; ++i) {
    Factors factors{};
    quantizer.encode(gaussian_vector(random, quantizer.dim()).data(), code.data(), factors);
    for (const std::uint8_t byte : code) add_to_hash(hash, byte);
    add_to_hash(hash, factors);
  }
  return hash;
}

struct GoldenCodes {
  const char* spec;
  std::uint64_t hash;
};

TEST(Platform, CodesHaveTheSameBitsEverywhere) {
  for (const GoldenCodes& golden : {GoldenCodes{"sq8", 0x8354BC4CF67FF2C6ULL},
                                    {"lm1", 0xFA6BA0D1074A3C09ULL},
                                    {"lm2", 0x2110527EE3F49371ULL},
                                    {"lm4", 0x5DE4C8D3C08B3FCEULL},
                                    {"lm8", 0xBF295F48BBF02BD1ULL},
                                    {"kashin2", 0xE789ED0E3E737A91ULL},
                                    {"kashin5", 0x225FDA21FAD868FAULL},
                                    {"kashin4:paper", 0xC54C65ED037F0EDEULL},
                                    {"kashin5:alternating:signdct", 0xD855D307BE3990C0ULL},
                                    {"kashin3:signs:haar", 0x0EBDBF4A9F17394EULL},
                                    {"kashin2:anneal:butterfly", 0xCB68157BCE1A7D08ULL},
                                    {"kashin2:signs:dct", 0xEC87967B67E1239CULL}}) {
    EXPECT_EQ(hash_of(*make_quantizer(golden.spec, 100)), golden.hash) << golden.spec;
  }
}

}  // namespace
}  // namespace obliq

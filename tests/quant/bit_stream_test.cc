// Bit streams: what is written is read, whatever the widths, and nothing else moves.
#include "quant/bit_stream.h"

#include <gtest/gtest.h>

#include <vector>

#include "core/random.h"

namespace obliq {
namespace {

TEST(BitStream, ReadsWhatWasWrittenAtAnyPlaceAndWidth) {
  Random random(1);
  for (unsigned width = 0; width <= 32; ++width) {
    std::vector<std::uint32_t> values(37);
    // Exactly as long as needed: the address sanitizer watches both ends.
    std::vector<std::uint8_t> stream(stream_bytes(width * values.size()), 0xFF);
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = static_cast<std::uint32_t>(random.below(std::uint64_t{1} << width));
      write_bits(stream.data(), i * width, width, values[i]);
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
      ASSERT_EQ(read_bits(stream.data(), i * width, width), values[i]) << width << ", " << i;
    }
  }
}

TEST(BitStream, LeavesTheOtherBits) {
  Random random(2);
  for (int round = 0; round < 1000; ++round) {
    std::uint8_t stream[6];
    for (auto& byte : stream) byte = static_cast<std::uint8_t>(random.next());
    const auto width = static_cast<unsigned>(random.below(33));
    const std::size_t at = random.below(48 - width + 1);
    std::uint8_t changed[6];
    std::copy(std::begin(stream), std::end(stream), changed);
    write_bits(changed, at, width,
               static_cast<std::uint32_t>(random.below(std::uint64_t{1} << width)));
    for (std::size_t bit = 0; bit < 48; ++bit) {
      if (bit >= at && bit < at + width) continue;
      ASSERT_EQ(read_bits(changed, bit, 1), read_bits(stream, bit, 1));
    }
  }
}

TEST(BitStream, PutsTheLeastSignificantBitFirst) {
  std::uint8_t stream[2] = {};
  write_bits(stream, 3, 7, 0b1000001);
  EXPECT_EQ(stream[0], 0b00001000);
  EXPECT_EQ(stream[1], 0b00000010);
}

}  // namespace
}  // namespace obliq

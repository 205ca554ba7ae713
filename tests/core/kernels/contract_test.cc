// Contracts that the equality test does not reach: every place of a list in its blocks, and the
// same sum for a pair wherever it stands in a tile.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "core/half.h"
#include "core/kernels/dispatch.h"
#include "core/random.h"
#include "tests/core/kernels/guarded_buffer.h"

namespace obliq {
namespace {

constexpr std::size_t kBlocks = 4;

// Bytes from block to block: signs and two factors, no more.
constexpr std::size_t stride_of(std::size_t dim) {
  return 16 * sign_groups(dim) + 4 * kBlockEntries;
}

// Blocks whose entries all have different bounds.
struct Blocks {
  std::size_t dim;
  std::vector<std::uint8_t> lut;
  std::vector<std::uint8_t> bytes;
};

Blocks make_blocks(std::size_t dim) {
  Random random(dim);
  Blocks blocks = {dim, std::vector<std::uint8_t>(16 * sign_groups(dim)),
                   std::vector<std::uint8_t>(kBlocks * stride_of(dim))};
  for (auto& value : blocks.lut) value = static_cast<std::uint8_t>(random.below(32));
  for (auto& value : blocks.bytes) value = static_cast<std::uint8_t>(random.next());
  for (std::size_t i = 0; i < kBlocks * kBlockEntries; ++i) {
    const std::uint16_t a = float_to_half(static_cast<float>((i * 37) % 128));
    const std::uint16_t b = float_to_half(0.0F);
    std::uint8_t* block = blocks.bytes.data() + i / kBlockEntries * stride_of(dim);
    std::uint8_t* factors = block + 16 * sign_groups(dim) + 2 * (i % kBlockEntries);
    std::memcpy(factors, &a, sizeof a);
    std::memcpy(factors + 2 * kBlockEntries, &b, sizeof b);
  }
  return blocks;
}

// Which entries count: all, or of the first `masked` those with a bit.
struct EntryMask {
  std::vector<std::uint64_t> words;  // and one behind
  std::uint64_t begin = 0;
  std::uint32_t masked = 0;

  bool lets(std::uint32_t entry) const {
    if (words.empty() || entry >= masked) return true;
    return (words[(begin + entry) / 64] >> (begin + entry) % 64 & 1) != 0;
  }
};

// Scans entries [lane, lane + count) from memory that ends where the contract's blocks end. With
// these factors the bound of place p is 37p mod 128.
void expect_scan_finds(const Kernels& level, const Blocks& blocks, std::uint32_t lane,
                       std::uint32_t count, float threshold, const EntryMask& mask = {}) {
  const std::size_t used = (lane + count + kBlockEntries - 1) / kBlockEntries;
  GuardedBuffer<std::uint8_t> memory(used * stride_of(blocks.dim), Placement::at_end);
  std::memcpy(memory.data(), blocks.bytes.data(), memory.size());
  ScanList list = {memory.data(),
                   stride_of(blocks.dim),
                   16 * sign_groups(blocks.dim),
                   lane,
                   count,
                   0.0F,
                   1.0F,
                   1.0F,
                   1.0F,
                   0.0F};
  list.mask = mask.words.empty() ? nullptr : mask.words.data();
  list.mask_begin = mask.begin;
  list.masked = mask.masked;
  std::vector<std::uint32_t> entries(count + 32);
  std::vector<float> bounds(count + 32);
  const std::size_t found =
      level.scan(blocks.lut.data(), blocks.dim, list, threshold, entries.data(), bounds.data());
  std::size_t expected = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto bound = static_cast<float>((lane + i) * 37 % 128);
    if (!(bound < threshold) || !mask.lets(i)) continue;
    ASSERT_LT(expected, found) << level.name << " lane " << lane << " count " << count;
    ASSERT_EQ(entries[expected], i) << level.name << " lane " << lane << " count " << count;
    ASSERT_EQ(bounds[expected], bound) << level.name << " lane " << lane << " count " << count;
    ++expected;
  }
  ASSERT_EQ(found, expected) << level.name << " lane " << lane << " count " << count;
}

TEST(Scan, FindsExactlyTheEntriesBelowTheThresholdFromEveryLaneToEveryEnd) {
  for (const std::size_t dim : {1, 30}) {
    const Blocks blocks = make_blocks(dim);
    for (const Kernels& level : kernel_levels()) {
      for (std::uint32_t lane = 0; lane < kBlockEntries; ++lane) {
        for (std::uint32_t count = 0; lane + count <= kBlocks * kBlockEntries; ++count) {
          for (const float threshold : {64.0F, std::numeric_limits<float>::infinity()}) {
            expect_scan_finds(level, blocks, lane, count, threshold);
            if (HasFatalFailure()) return;
          }
        }
      }
    }
  }
}

// Masks that begin anywhere in a word, of no entry to nearly all, and lists of which only the first
// entries are masked.
TEST(Scan, FindsOfMaskedEntriesExactlyThoseWithABit) {
  const Blocks blocks = make_blocks(30);
  Random random(7);
  for (std::size_t round = 0; round < 4000; ++round) {
    const auto lane = static_cast<std::uint32_t>(random.below(kBlockEntries));
    const auto count = static_cast<std::uint32_t>(random.below(kBlocks * kBlockEntries - lane + 1));
    EntryMask mask;
    mask.begin = random.below(200);
    mask.masked = static_cast<std::uint32_t>(random.below(count + 40));
    mask.words.resize((mask.begin + count + 40) / 64 + 2);
    const std::uint64_t rarity = 1 + random.below(40);
    for (std::uint64_t bit = 0; bit < 64 * mask.words.size(); ++bit) {
      if (random.below(rarity) == 0) mask.words[bit / 64] |= std::uint64_t{1} << bit % 64;
    }
    for (const Kernels& level : kernel_levels()) {
      expect_scan_finds(level, blocks, lane, count, round % 2 == 0 ? 64.0F : 1000.0F, mask);
      if (HasFatalFailure()) return;
    }
  }
}

TEST(Scan, LeavesOutEntriesWhoseBoundEqualsTheThreshold) {
  const Blocks blocks = make_blocks(8);
  for (const Kernels& level : kernel_levels()) {
    for (int threshold = 0; threshold <= 128; ++threshold) {
      expect_scan_finds(level, blocks, 0, 128, static_cast<float>(threshold));
    }
  }
}

TEST(Scan, AddsSumsUpToTheLimitOf16Bits) {
  // 2114 groups of the largest LUT value: dim 8456, sums of 65534.
  constexpr std::size_t kDim = 8456;
  std::vector<std::uint8_t> lut(16 * sign_groups(kDim), 31);
  std::vector<std::uint8_t> block(stride_of(kDim), 0xFF);
  const std::uint16_t zero = 0;
  const std::uint16_t one = float_to_half(1.0F);
  for (std::size_t i = 0; i < kBlockEntries; ++i) {
    std::memcpy(block.data() + 16 * sign_groups(kDim) + 2 * i, &zero, sizeof zero);
    std::memcpy(block.data() + 16 * sign_groups(kDim) + 64 + 2 * i, &one, sizeof one);
  }
  const ScanList list = {
      block.data(), stride_of(kDim), 16 * sign_groups(kDim), 0, 32, 0.0F, 0.0F, 1.0F, 1.0F, 0.0F};
  for (const Kernels& level : kernel_levels()) {
    std::uint32_t entries[64];
    float bounds[64];
    ASSERT_EQ(level.scan(lut.data(), kDim, list, 0.0F, entries, bounds), 32U) << level.name;
    for (std::size_t i = 0; i < 32; ++i) ASSERT_EQ(bounds[i], -65534.0F) << level.name;
  }
}

TEST(Dots, GivesAPairTheSameSumWhereverItStandsInTheTile) {
  for (const std::size_t dim : {1, 7, 16, 100, 384, 513, 1100}) {
    constexpr std::size_t kRows = 15;
    Random random(dim);
    std::vector<float> x(kRows * dim);
    std::vector<float> y(kRows * dim);
    for (float& value : x) value = static_cast<float>(random.gaussian());
    for (float& value : y) value = static_cast<float>(random.gaussian());
    for (const Kernels& level : kernel_levels()) {
      std::vector<float> alone(kRows * kRows);
      for (std::size_t i = 0; i < kRows * kRows; ++i) {
        level.dots(&x[i / kRows * dim], 1, &y[i % kRows * dim], 1, dim, &alone[i]);
      }
      for (std::size_t nx = 1; nx <= kRows; ++nx) {
        for (std::size_t ny = 1; ny <= kRows; ++ny) {
          std::vector<float> tile(nx * ny);
          level.dots(x.data(), nx, y.data(), ny, dim, tile.data());
          for (std::size_t i = 0; i < nx * ny; ++i) {
            ASSERT_EQ(tile[i], alone[i / ny * kRows + i % ny])
                << level.name << " dim " << dim << " tile " << nx << " x " << ny << " pair " << i;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace obliq

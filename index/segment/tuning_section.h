// The section `tuning` of an index file, little-endian:
//
//     uint32 learn queries | uint32 flags (1: from base vectors, 2: truth is exact)
//     uint32 ladders | uint32 0, then for each ladder, k rising,
//         uint32 k | float32 max_recall | uint32 targets | uint32 0
//         [targets], recall rising:
//             float32 recall | float32 threshold | uint32 nprobe | uint32 1: uses the stop rule
//             float32 confidence
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "obliq/tuning.h"

namespace obliq {

/// The least number of vectors that are tuned. Below it a target recall means a scan of all lists.
constexpr std::size_t kLeastTuned = 1000;

/// The k of the ladders of a tuned index, and the target recalls of each; where the default recall
/// is below .95, it stands in the place of the last.
constexpr std::array<std::uint32_t, 3> kTunedKs = {1, 10, 100};
constexpr std::array<float, 9> kTunedTargets = {0.80F, 0.85F, 0.90F,  0.95F, 0.97F,
                                                0.98F, 0.99F, 0.995F, 0.998F};

/// The size in bytes of the section for `ladders` ladders of `targets` targets each.
std::size_t tuning_bytes(std::size_t ladders, std::size_t targets);

std::vector<std::byte> write_tuning(const Tuning& tuning);

/// Throws std::invalid_argument saying what is wrong: other sizes than the numbers ask for, numbers
/// out of range, or thresholds, nprobe, recalls or k in the wrong order.
Tuning read_tuning(std::span<const std::byte> bytes);

}  // namespace obliq

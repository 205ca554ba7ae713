// The section `tuning` of an index file, little-endian:
//
//     uint32 learn queries | uint32 flags (1: from base vectors, 2: truth is exact)
//     uint32 ladders | uint32 0, then for each ladder, k rising,
//         uint32 k | float32 max_recall | uint32 targets | uint32 0
//         [targets] TunedTarget, 16 bytes each, recall rising
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "obliq/tuning.h"

namespace obliq {

/// Below so many vectors an index is not tuned: a target is then met by scanning all lists.
constexpr std::size_t kLeastTuned = 1000;

std::vector<std::byte> write_tuning(const Tuning& tuning);

/// Throws std::invalid_argument saying what is wrong: other sizes than the numbers ask for, numbers
/// out of range, or thresholds, nprobe, recalls or k in the wrong order.
Tuning read_tuning(std::span<const std::byte> bytes);

}  // namespace obliq

// The sections of format 2: a file that has another which must be known is refused. Those of single
// columns need not be: `columns` stands for them.
#pragma once

#include <array>
#include <string_view>

namespace obliq {

inline constexpr std::array<std::string_view, 28> kKnownSections = {
    // of a model
    "model", "mean", "quantizer", "encoder", "centroids", "far.lists", "far.points", "points",
    "router.blk", "groups", "group.codes", "near.groups", "learn", "learn.ids",
    // of a segment
    "segment", "lists", "list.numbers", "blocks", "spilled", "rows", "raw", "ids", "positions",
    "ids.sorted", "columns", "truth", "truth.ids",
    // of an index
    "tuning"};

}  // namespace obliq

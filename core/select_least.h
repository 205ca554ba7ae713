// The least of many values, without sorting: a limit that few more than the wanted number do not
// exceed, found by counting. A count reads 16 values at a time where there is AVX-512, so that some
// of them are cheaper than one histogram.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace obliq {

/// What Kernels::select_below may write behind what it finds.
constexpr std::size_t kSelectRoom = 16;

/// Writes the positions of at least `size` of the values, in rising order, and returns their
/// number: those of all values up to a limit. They are at most size / 4 + 2 more than asked, but
/// for those equal to the limit. Requires 0 < size <= the number of values, none of which is a NaN,
/// and room in `out` for kSelectRoom more than that number. Reads some 256 values and then all of
/// them two or three times where they follow a normal law, up to 40 times where they do not.
std::size_t select_least(std::span<const float> values, std::size_t size, std::uint32_t* out);

}  // namespace obliq

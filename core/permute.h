// Brings items of equal size into another order, in place.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace obliq {

/// Item i becomes what item order[i] was. `order` holds each number below its size once. Memory: an
/// item and a bit per item. Cost: one read and one write of each item, here and there.
inline void permute(std::span<std::uint8_t> items, std::size_t item_bytes,
                    std::span<const std::uint32_t> order) {
  assert(items.size() == item_bytes * order.size());
  if (item_bytes == 0) return;
  std::vector<bool> done(order.size());
  std::vector<std::uint8_t> held(item_bytes);
  const auto at = [&](std::size_t i) { return items.data() + i * item_bytes; };
  for (std::size_t first = 0; first < order.size(); ++first) {
    if (done[first]) continue;
    std::memcpy(held.data(), at(first), item_bytes);
    std::size_t place = first;
    for (; order[place] != first; place = order[place]) {
      std::memcpy(at(place), at(order[place]), item_bytes);
      done[place] = true;
    }
    std::memcpy(at(place), held.data(), item_bytes);
    done[place] = true;
  }
}

}  // namespace obliq

// What a query knows of lists it has met, as probes or as primary lists of rows: a map from list
// numbers that is small while lists are few, whatever nlist. Open addressing, at most half full.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "obliq/index.h"

namespace obliq {

/// A list as a query sees it.
struct ListView {
  float base = 0;      ///< distance to the centroid, in distances of the metric
  float distance = 0;  ///< |q-c| after the transform
};

class ListViews {
 public:
  ListViews() { clear(); }

  std::size_t bytes() const { return (places_.capacity() + old_.capacity()) * sizeof(Place); }

  /// Keeps as much room as a query like the last one takes.
  void clear() {
    places_.assign(std::max(kFewest, std::min(places_.size(), std::bit_ceil(4 * size_))), {});
    size_ = 0;
  }

  /// Null where the list has not been met. Valid until the next insert.
  const ListView* find(std::uint32_t list) const {
    const Place& place = places_[place_of(list)];
    return place.list == kNoList ? nullptr : &place.view;
  }

  /// Adds a list, which is not kNoList, or replaces what is known of it.
  const ListView& insert(std::uint32_t list, const ListView& view) {
    if ((size_ + 1) * 2 > places_.size()) grow();
    Place& place = places_[place_of(list)];
    size_ += place.list == kNoList ? 1 : 0;
    place = {list, view};
    return place.view;
  }

 private:
  struct Place {
    std::uint32_t list = kNoList;  ///< kNoList: empty
    ListView view = {};
  };
  static constexpr std::size_t kFewest = 64;

  /// Where the list is, or an empty place for it.
  std::size_t place_of(std::uint32_t list) const {
    const std::size_t mask = places_.size() - 1;
    std::size_t at = (list * 0x9E3779B97F4A7C15U >> 32) & mask;  // 2^64 / golden ratio (Knuth)
    while (places_[at].list != kNoList && places_[at].list != list) at = (at + 1) & mask;
    return at;
  }

  void grow() {
    old_.swap(places_);
    places_.assign(2 * old_.size(), {});
    for (const Place& place : old_) {
      if (place.list != kNoList) places_[place_of(place.list)] = place;
    }
  }

  std::vector<Place> places_;
  std::vector<Place> old_;  ///< kept so that growing allocates once
  std::size_t size_ = 0;
};

}  // namespace obliq

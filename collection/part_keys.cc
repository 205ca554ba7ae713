// A key stays with the id inside that it was given first, as long as its vector is there: so a
// table that knows the id tells its key, whether the row is deleted there or not. After a removal
// the same key gets a new id; a key is where a row of it is not deleted.
#include "collection/part_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "collection/key_check.h"
#include "collection/key_hash.h"
#include "index/index_access.h"
#include "index/segment/id_lookup.h"

namespace obliq {
namespace {

// The row of a rank. Row numbers of a damaged file may lead anywhere.
std::uint32_t row_at(const Segment& segment, std::uint32_t rank) {
  const std::uint32_t row = segment.sorted_rows[rank];
  if (row < segment.ids.size()) return row;
  throw std::runtime_error(
      fmt::format("the id of number {} is in row {} of {}; the segment is damaged", rank, row,
                  segment.ids.size()));
}

std::int64_t id_at(const Segment& segment, std::uint32_t rank) {
  return segment.ids[row_at(segment, rank)];
}

// The first rank whose id is not below.
std::uint32_t rank_of(const Segment& segment, std::int64_t id) {
  std::uint32_t low = 0;
  auto high = static_cast<std::uint32_t>(segment.sorted_rows.size());
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    id_at(segment, middle) < id ? low = middle + 1 : high = middle;
  }
  return low;
}

bool is_deleted(const Part& part, std::uint32_t row) {
  return part.deleted != nullptr && part.deleted->has(row);
}

// Goes through a part by rising ids.
class Walk {
 public:
  explicit Walk(const Part& part) : part_(part) { load(); }

  /// The rank of an id; kNoRank: it is not there. Requires rising ids.
  std::uint32_t rank(std::int64_t id) {
    while (rank_ < part_.keys->n() && id_ < id) {
      ++rank_;
      load();
    }
    return rank_ < part_.keys->n() && id_ == id ? rank_ : kNoRank;
  }
  std::string_view key() const { return part_.keys->key(rank_); }

 private:
  void load() {
    if (rank_ < part_.keys->n()) id_ = id_at(part_.segment, rank_);
  }
  const Part& part_;
  std::uint32_t rank_ = 0;
  std::int64_t id_ = 0;
};

std::string_view next_key(std::vector<Walk>& walks, std::int64_t id) {
  for (Walk& walk : walks) {
    if (walk.rank(id) != kNoRank) return walk.key();
  }
  throw std::runtime_error(fmt::format("no segment has the key of the vector {} inside", id));
}

}  // namespace

std::optional<std::int64_t> find_key(const Snapshot& now, std::string_view key) {
  if (now.parts().empty()) return {};
  const std::uint32_t hash = hash_of_key(key, now.parts().front().keys->seed());
  for (auto part = now.parts().rbegin(); part != now.parts().rend(); ++part) {
    const std::uint32_t rank = part->keys->find(key, hash);
    if (rank == kNoRank) continue;
    const std::uint32_t row = row_at(part->segment, rank);
    if (!is_deleted(*part, row)) return part->segment.ids[row];
  }
  return {};
}

std::uint32_t Snapshot::slot_of_key(std::string_view key) const {
  const auto id = find_key(*this, key);
  const auto place = id ? find(*id) : std::nullopt;
  if (!place) return kNoSlot;
  return IndexAccess::segments(*index_).first_slot(place->part) + place->row;
}

std::string_view key_of(const Snapshot& now, std::int64_t id) {
  for (const Part& part : now.parts()) {
    const Segment& segment = part.segment;
    const auto n = static_cast<std::uint32_t>(segment.sorted_rows.size());
    if (n == 0 || id > id_at(segment, n - 1)) continue;
    const std::uint32_t rank = rank_of(segment, id);
    if (rank < n && id_at(segment, rank) == id) return part.keys->key(rank);
  }
  return {};
}

void for_each_key(const Snapshot& now,
                  const std::function<void(std::int64_t, std::string_view)>& take) {
  for (const Part& part : now.parts()) {
    for (std::uint32_t rank = 0; rank < part.keys->n(); ++rank) {
      const std::uint32_t row = row_at(part.segment, rank);
      if (!is_deleted(part, row)) take(part.segment.ids[row], part.keys->key(rank));
    }
  }
}

KeySource keys_of(const Segment& segment, std::span<const Part> parts) {
  return [&segment, parts](const std::function<void(std::string_view)>& take) {
    std::vector<Walk> walks(parts.begin(), parts.end());
    const auto n = static_cast<std::uint32_t>(segment.sorted_rows.size());
    for (std::uint32_t rank = 0; rank < n; ++rank) {
      take(next_key(walks, id_at(segment, rank)));
    }
  };
}

std::shared_ptr<const KeyTable> table_of(std::span<const std::int64_t> ids,
                                         std::span<const std::string_view> keys,
                                         std::uint64_t seed) {
  std::vector<std::size_t> order(keys.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return ids[a] < ids[b]; });
  return KeyTable::make(order.size(), seed, [&](const std::function<void(std::string_view)>& take) {
    for (const std::size_t i : order) take(keys[i]);
  });
}

std::vector<std::int64_t> ids_of(const Snapshot& now, std::span<const std::string_view> keys) {
  std::vector<std::int64_t> ids;
  ids.reserve(keys.size());
  for (const std::string_view key : keys) {
    const auto id = find_key(now, key);
    if (!id) {
      throw std::invalid_argument(
          fmt::format("id {} at position {} is not in the collection", shown_key(key), ids.size()));
    }
    ids.push_back(*id);
  }
  return ids;
}

std::vector<std::int64_t> numbers_of(const Snapshot& now, std::span<const std::string_view> keys,
                                     std::int64_t* next_id) {
  std::vector<std::int64_t> ids;
  ids.reserve(keys.size());
  for (const std::string_view key : keys) {
    const auto known = find_key(now, key);
    ids.push_back(known ? *known : (*next_id)++);
  }
  return ids;
}

}  // namespace obliq

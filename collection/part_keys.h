// Keys of parts: where a key's vector is, which key a vector has, and the tables of new segments.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "collection/key_table.h"
#include "collection/snapshot.h"

namespace obliq {

/// The id inside of the vector that has a key now; none: no vector has it. Cost: a look-up in the
/// table of each part, from the newest on. Throws std::runtime_error where a table is damaged.
std::optional<std::int64_t> find_key(const Snapshot& now, std::string_view key);
/// The key of an id inside that was ever there; empty: no part knows it. Valid as long as the
/// snapshot. Throws as find_key.
std::string_view key_of(const Snapshot& now, std::int64_t id);

/// Calls take(id inside, key) for each vector that is there, part by part.
void for_each_key(const Snapshot& now,
                  const std::function<void(std::int64_t, std::string_view)>& take);

/// The keys of a segment, each of which one of the parts has. The source is used while all of them
/// live. Throws std::runtime_error when none has one, or a table is damaged.
KeySource keys_of(const Segment& segment, std::span<const Part> parts);
/// The table of vectors with these ids and keys. Requires different ids.
std::shared_ptr<const KeyTable> table_of(std::span<const std::int64_t> ids,
                                         std::span<const std::string_view> keys,
                                         std::uint64_t seed);
/// The ids inside of keys. Throws std::invalid_argument naming one that is not there.
std::vector<std::int64_t> ids_of(const Snapshot& now, std::span<const std::string_view> keys);
/// The ids inside of keys: those that they have or, from *next_id on, which rises, new ones.
std::vector<std::int64_t> numbers_of(const Snapshot& now, std::span<const std::string_view> keys,
                                     std::int64_t* next_id);

}  // namespace obliq

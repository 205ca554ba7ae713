// Changes where ids are strings. A key that is there keeps its id inside, a new one gets the next;
// the log has both, so that opening a collection need not number anything again.
#include <fmt/format.h>

#include <stdexcept>

#include "collection/column_schema.h"
#include "collection/engine.h"
#include "collection/key_check.h"
#include "collection/part_keys.h"

namespace obliq {
namespace {

void check_shapes(MatrixView<float> vectors, std::span<const std::string_view> keys,
                  std::size_t dim) {
  if (vectors.cols != dim) {
    throw std::invalid_argument(
        fmt::format("vectors have dim {}, the collection has {}", vectors.cols, dim));
  }
  if (keys.size() != vectors.rows) {
    throw std::invalid_argument(
        fmt::format("there are {} ids for {} vectors", keys.size(), vectors.rows));
  }
  check_keys(keys);
}

}  // namespace

// Bitmaps may be newer than the log: a key may be gone already that is removed later.
void CollectionEngine::check_numbers(const Snapshot& now, const EncodedBatch& batch) {
  const std::vector<std::string_view> keys = batch.keys.views();
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto known = find_key(now, keys[i]);
    const bool fits = known ? *known == batch.ids[i] : !now.find(batch.ids[i]);
    if (fits && batch.ids[i] < batch.next_id) continue;
    throw std::runtime_error(fmt::format("id {} has the number {} inside, which is not its own",
                                         shown_key(keys[i]), batch.ids[i]));
  }
}

void CollectionEngine::require_ids(IdType ids) const {
  if (store_.info().ids == static_cast<std::uint32_t>(ids)) return;
  throw std::invalid_argument(
      ids == IdType::int64
          ? "the ids of this collection are strings: give each vector one, and call with strings"
          : "the ids of this collection are numbers: call with int64, or make a collection whose "
            "ids are strings");
}

void CollectionEngine::add_keyed(MatrixView<float> vectors, std::span<const std::string_view> keys,
                                 std::span<const ColumnValues> columns, bool replaces) {
  require_writer();
  require_ids(IdType::string);
  check_shapes(vectors, keys, store_.info().dim);
  check_given(*snapshot()->schema(), columns, vectors.rows);
  add_named(vectors, {{}, keys, replaces, columns});
}

std::size_t CollectionEngine::remove_keyed(std::span<const std::string_view> keys) {
  require_writer();
  require_ids(IdType::string);
  return remove_chosen([&](const Snapshot& now) {
    std::vector<std::int64_t> ids;
    for (const std::string_view key : keys) {
      const auto known = find_key(now, key);
      if (known) ids.push_back(*known);
    }
    return ids;
  });
}

}  // namespace obliq

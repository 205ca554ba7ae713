// New columns, and new values of vectors that are there. A column is part of the manifest, which is
// committed before any change with it is logged. New values come as an upsert whose vectors are
// copied as they are encoded: the log has them, too, since a merge may drop the rows that they were
// copied from before the change is in a file.
#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "collection/column_schema.h"
#include "collection/column_values.h"
#include "collection/engine.h"
#include "collection/key_check.h"
#include "collection/part_keys.h"
#include "collection/parts.h"
#include "index/build/copied_rows.h"
#include "index/columns/check_columns.h"
#include "index/external_ids.h"

namespace obliq {
namespace {

EncodedBatch copied_batch(const Snapshot& now, const GivenNames& names) {
  EncodedBatch batch;
  batch.is_update = true;
  batch.next_id = now.next_id();
  batch.ids.assign(names.ids.data, names.ids.data + names.ids.rows);
  if (!names.keys.empty()) batch.ids = ids_of(now, names.keys);
  for (const std::string_view key : names.keys) batch.keys.add(key);
  std::vector<CopiedRow> rows;
  for (const PartRow& place : places_of(now, batch.ids)) {
    rows.push_back({&now.parts()[place.part].segment, place.row});
  }
  batch.vectors = copy_rows(*now.model(), rows);
  check_batch(batch, *now.model());
  return batch;
}

// The new values, and what else the vectors have.
Columns updated_columns(const Snapshot& now, std::span<const std::int64_t> ids,
                        std::span<const ColumnValues> given) {
  ColumnSchema others;
  for (const ColumnSpec& column : *now.schema()) {
    const bool is_given = std::any_of(given.begin(), given.end(), [&](const ColumnValues& values) {
      return values.name() == column.name;
    });
    if (!is_given) others.push_back(column);
  }
  const SegmentSet& set = IndexAccess::segments(now.index());
  std::vector<std::uint32_t> slots;
  for (const PartRow& place : places_of(now, ids)) {
    slots.push_back(set.first_slot(place.part) + place.row);
  }
  Columns columns = stored_values(set, others, slots);
  columns.insert(columns.end(), given.begin(), given.end());
  return columns;
}

bool is_large(const EncodedBatch& batch, const Columns& columns) {
  const EncodedVectors& vectors = batch.vectors;
  return batch.ids.size() >= kLargeRows ||
         vectors.rows.size() + vectors.raw.size() >= kLargeBytes ||
         bytes_of(columns) >= kLargeBytes;
}

}  // namespace

void CollectionEngine::add_column(const ColumnSpec& column) {
  require_writer();
  const std::unique_lock lock = lock_settled();
  require_open();
  const std::shared_ptr<const Snapshot> now = snapshot();
  const ColumnSpec* known = find_column(*now->schema(), column.name);
  if (known != nullptr) {
    throw std::invalid_argument(fmt::format("column '{}' is there already, of type {}", known->name,
                                            to_string(known->type)));
  }
  ColumnSchema columns = *now->schema();
  columns.push_back(column);
  check_schema(columns);
  const auto schema = std::make_shared<const ColumnSchema>(std::move(columns));
  std::vector<Part> parts = now->parts();
  Manifest manifest = store_.prepare(parts, now->used(), now->tuned(), now->next_id(),
                                     store_.info().sequence, store_.info().first_log);
  manifest.schema = schema;
  auto next = now->model() == nullptr
                  ? std::make_shared<const Snapshot>(schema)
                  : std::make_shared<const Snapshot>(now->used(), std::move(parts), now->tuned(),
                                                     now->sequence(), now->next_id(), schema);
  store_.commit(std::move(manifest));
  show(std::move(next));
}

void CollectionEngine::update(std::span<const std::int64_t> ids,
                              std::span<const ColumnValues> columns) {
  require_writer();
  require_ids(IdType::int64);
  const MatrixView<std::int64_t> all = {ids.data(), ids.size(), 1};
  check_ids(all);
  update_named({all, {}, true, columns}, ids.size());
}

void CollectionEngine::update_keyed(std::span<const std::string_view> keys,
                                    std::span<const ColumnValues> columns) {
  require_writer();
  require_ids(IdType::string);
  check_keys(keys);
  update_named({{}, keys, true, columns}, keys.size());
}

void CollectionEngine::update_named(const GivenNames& names, std::size_t n) {
  check_given(*snapshot()->schema(), names.columns, n);
  if (names.columns.empty())
    throw std::invalid_argument("there are no columns to update: name one");
  if (n == 0) return;
  std::unique_lock lock = lock_change();
  wait_for_room(lock, {});
  const std::shared_ptr<const Snapshot> now = head_;
  EncodedBatch batch = copied_batch(*now, names);
  const Columns columns = updated_columns(*now, batch.ids, names.columns);
  std::shared_ptr<const Snapshot> next;
  if (is_large(batch, columns) && !store_.in_memory()) {
    next = with_update_file(*now, std::move(batch), columns);
  } else {
    const EncodedBatch copy = batch;  // for the log
    next = with_batch(*now, std::move(batch), columns);
    log_batch(copy, columns, *now->model());
  }
  finish(lock, std::move(next));
  store_.statistics().count(Counter::updated, n);
}

// The file is written and logged as that of many new vectors is.
std::shared_ptr<const Snapshot> CollectionEngine::with_update_file(const Snapshot& now,
                                                                   EncodedBatch batch,
                                                                   const Columns& columns) {
  require_open();
  NamedVectors named;
  named.next_id = now.next_id();
  named.file = store_.take_number();
  store_.keep(named.file, 0);
  try {
    const Part added = write_batch(now.model(), std::move(batch), columns, named.file);
    auto next = with_segment(now, named.next_id, true, added);
    log_segment(added, named);
    return next;
  } catch (...) {
    store_.forget(named.file);
    throw;
  }
}

}  // namespace obliq

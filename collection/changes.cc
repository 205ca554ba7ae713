// One change at a time. What may fail comes first: the vectors are encoded and the next snapshot is
// made; then the change is logged, and synced where that was asked for; then it is seen. So a
// change that throws has not happened, and one that was logged is always seen.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>

#include "collection/background.h"
#include "collection/column_record.h"
#include "collection/column_schema.h"
#include "collection/engine.h"
#include "collection/part_keys.h"
#include "collection/parts.h"
#include "index/build/build_plan.h"
#include "index/build/merge.h"
#include "index/build/segment_encoder.h"
#include "index/external_ids.h"
#include "index/model_access.h"
#include "obliq/model.h"
#include "storage/file_error.h"

namespace obliq {
namespace {

constexpr std::size_t kMostInMemory = std::size_t{256} << 20;  // bytes before changes wait
constexpr std::size_t kMostParts = 32;                         // segments, likewise
constexpr std::int64_t kLastId = std::numeric_limits<std::int64_t>::max();

void check_shapes(MatrixView<float> vectors, MatrixView<std::int64_t> ids, std::size_t dim) {
  if (vectors.cols != dim) {
    throw std::invalid_argument(
        fmt::format("vectors have dim {}, the collection has {}", vectors.cols, dim));
  }
  if (ids.rows > 0 && (ids.rows != vectors.rows || ids.cols != 1)) {
    throw std::invalid_argument(
        fmt::format("ids are {} x {}, expected {} x 1", ids.rows, ids.cols, vectors.rows));
  }
  check_ids(ids);
}

// The last id of all is never given out: the next id would be none.
void require_free_ids(std::int64_t first, std::size_t n) {
  if (n <= static_cast<std::uint64_t>(kLastId - first)) return;
  throw std::invalid_argument(
      fmt::format("{} new ids from {} on are more than there are: give ids", n, first));
}

bool is_large(MatrixView<float> vectors, std::span<const ColumnValues> columns) {
  return vectors.rows >= kLargeRows || vectors.rows * vectors.cols >= kLargeBytes / sizeof(float) ||
         bytes_of(columns) >= kLargeBytes;
}

std::size_t bytes_in_memory(const Snapshot& now) {
  std::size_t bytes = 0;
  for (const Part& part : now.parts()) bytes += part.file == 0 ? part.bytes() : 0;
  return bytes;
}

enum class Room { enough, little, none };

// Little: from three quarters of the limits on.
Room room_for(std::size_t bytes, std::size_t parts) {
  if (bytes >= kMostInMemory || parts >= kMostParts) return Room::none;
  const bool is_little = 4 * bytes >= 3 * kMostInMemory || 4 * parts >= 3 * kMostParts;
  return is_little ? Room::little : Room::enough;
}

}  // namespace

// One list of raw vectors, all of which a search compares. The point that they are relative to is
// the mean of the first batch or, for ip, the origin.
void CollectionEngine::begin_flat(MatrixView<float> vectors) {
  require_open();
  BuildOptions options = build_options(store_.info(), access_.threads);
  options.quantizer = "sq8";
  options.raw = RawTier::fp32;
  options.spill = 0;
  options.nlist = 1;
  const std::vector<float> origin(vectors.cols);
  if (options.metric == Metric::ip) options.centroids = {origin.data(), 1, origin.size()};
  const std::size_t sample = std::min<std::size_t>(vectors.rows, store_.info().train_at);
  ModelInUse used;
  used.model = ModelAccess::get(Model::train(vectors.slice(0, sample), options));
  used.is_flat = true;
  auto active = std::make_shared<const ActiveModel>(used);
  store_.save(*used.model);
  const std::shared_ptr<const Snapshot> now = snapshot();
  std::vector<Part> none;
  const Manifest manifest =
      store_.prepare(none, used, {}, now->next_id(), now->sequence(), log_number_);
  auto next = std::make_shared<const Snapshot>(used, none, KnownTuning{}, now->sequence(),
                                               now->next_id(), now->schema());
  store_.commit(manifest);
  show(std::move(next), std::move(active));
}

EncodedBatch CollectionEngine::encode(const ActiveModel& model, MatrixView<float> vectors) const {
  const MatrixSource source(vectors);
  EncodeInput input = {source};
  input.chunk_rows = usual_chunk(vectors.cols);
  input.threads = access_.threads;
  EncodedBatch batch;
  batch.vectors = model.encoder.encode(input);
  return batch;
}

bool CollectionEngine::is_busy(const Part& part) const {
  return std::find(busy_.begin(), busy_.end(), part.segment.owner.get()) != busy_.end();
}

// Small segments in memory become one as soon as the newest is half as large as the one before:
// about as many as the number of batches has bits.
void CollectionEngine::merge_small(std::vector<Part>& parts, const ModelInUse& model) const {
  const auto is_free = [&](const Part& part) { return part.file == 0 && !is_busy(part); };
  std::size_t first = parts.size() - 1;
  std::size_t rows = parts.back().live();
  while (first > 0 && is_free(parts[first - 1]) && parts[first - 1].live() < 2 * rows) {
    rows += parts[--first].live();
  }
  if (first + 1 == parts.size()) return;
  Part merged;
  merged.segment = merge_in_memory(model.model, sources_of(std::span(parts).subspan(first)));
  store_.add_keys(merged, std::span(parts).subspan(first));
  parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(first), parts.end());
  parts.push_back(std::move(merged));
}

Part CollectionEngine::part_of(const std::shared_ptr<const TrainedModel>& model, EncodedBatch batch,
                               std::span<const ColumnValues> columns) const {
  Part part;
  const MatrixView<std::int64_t> ids = {batch.ids.data(), batch.ids.size(), 1};
  part.segment = arrange_segment(model, std::move(batch.vectors), ids, columns);
  // Of an update they count where they were encoded.
  if (batch.is_update) part.segment.info.encoded = part.segment.info.drift = 0;
  if (!batch.keys.lengths.empty()) {
    part.keys = table_of(batch.ids, batch.keys.views(), store_.info().collection);
  }
  return part;
}

std::shared_ptr<const Snapshot> CollectionEngine::with_batch(
    const Snapshot& now, EncodedBatch batch, std::span<const ColumnValues> columns) const {
  std::vector<Part> parts = now.parts();
  Deletion deletion(parts);
  for (const std::int64_t id : batch.ids) {
    const auto place = now.find(id);
    if (place) deletion.add(*place);
  }
  const std::size_t touched = batch.is_update ? 0 : batch.ids.size();
  const std::int64_t next_id = std::max(now.next_id(), batch.next_id);
  parts.push_back(part_of(now.model(), std::move(batch), columns));
  merge_small(parts, now.used());
  // A step that reads a part asks it at its end what was deleted meanwhile.
  std::erase_if(parts, [&](const Part& part) {
    return part.file == 0 && part.live() == 0 && !is_busy(part);
  });
  return std::make_shared<const Snapshot>(now.used(), std::move(parts), now.tuned().after(touched),
                                          now.sequence() + 1, next_id, now.schema());
}

std::shared_ptr<const Snapshot> CollectionEngine::with_removal(const Snapshot& now,
                                                               std::span<const std::int64_t> ids,
                                                               std::size_t* removed) const {
  std::vector<Part> parts = now.parts();
  Deletion deletion(parts);
  std::size_t count = 0;
  for (const std::int64_t id : ids) {
    const auto place = now.find(id);
    if (place && deletion.add(*place)) ++count;
  }
  if (removed != nullptr) *removed = count;
  if (now.model() == nullptr) return std::make_shared<const Snapshot>(now.schema());
  return std::make_shared<const Snapshot>(now.used(), std::move(parts), now.tuned().after(count),
                                          now.sequence() + 1, now.next_id(), now.schema());
}

// Segments but those that a step merges now.
std::size_t CollectionEngine::merged_later() const {
  return head_->parts().size() - std::min(head_->parts().size(), busy_.size());
}

// Where there is little room, changes take twice the time that they took so far.
void CollectionEngine::wait_for_room(std::unique_lock<std::mutex>& lock, Clock::duration taken) {
  const Clock::time_point start = Clock::now();
  const Clock::duration limit =
      bounded_duration(access_.wait_limit == 0 ? kForever : access_.wait_limit);
  while (!store_.in_memory()) {
    const Room room = room_for(bytes_in_memory(*head_), merged_later());
    if (room == Room::enough) return;
    const Clock::time_point until = start + (room == Room::none ? limit : taken);
    if (Clock::now() >= until && room == Room::little) return;
    if (Clock::now() >= until) {
      throw_system_error(store_.directory().path(), "add vectors as fast as they come", ETIMEDOUT);
    }
    lock.unlock();
    const bool may_help = wait_for_step(until);
    require_writer();  // it may be closed meanwhile
    lock = lock_change();
    if (!may_help) return;
  }
}

std::vector<std::int64_t> CollectionEngine::ids_for(const Snapshot& now, const GivenNames& names,
                                                    std::size_t n, std::int64_t* next_id) const {
  std::vector<std::int64_t> all(names.ids.data, names.ids.data + names.ids.rows);
  const std::int64_t first = now.next_id();
  *next_id = first;
  if (!names.keys.empty() && names.replaces) {  // else none is there, or refuse_known throws
    require_free_ids(first, n);
    return numbers_of(now, names.keys, next_id);
  }
  if (names.ids.rows == 0) {
    require_free_ids(first, n);
    all.resize(n);
    std::iota(all.begin(), all.end(), first);
  }
  for (const std::int64_t id : all) *next_id = std::max(*next_id, std::min(id, kLastId - 1) + 1);
  return all;
}

// The bytes of what was arranged: arranging takes those of the batch.
void CollectionEngine::log_batch(const EncodedBatch& batch, std::span<const ColumnValues> columns,
                                 const TrainedModel& model) {
  if (store_.in_memory()) return;
  const BatchKind kind = {!batch.keys.lengths.empty(), !columns.empty(), batch.is_update};
  const BatchHead head = batch_head(batch, model.info.id);
  std::vector<std::span<const std::byte>> payload = batch_bytes(batch, head);
  std::string values;
  std::uint64_t size = 0;
  if (kind.has_columns) {
    values = write_column_values(columns);
    size = values.size();
    const auto front = {std::as_bytes(std::span(&size, 1)), std::as_bytes(std::span(values))};
    payload.insert(payload.begin(), front);
  }
  log(change_kind(kind), payload);
}

std::int64_t CollectionEngine::add(MatrixView<float> vectors, MatrixView<std::int64_t> ids,
                                   std::span<const ColumnValues> columns, bool replaces) {
  require_writer();
  require_ids(IdType::int64);
  check_shapes(vectors, ids, store_.info().dim);
  if (ids.rows == 0 && replaces && vectors.rows > 0) {
    throw std::invalid_argument("upsert takes the ids of the vectors");
  }
  check_given(*snapshot()->schema(), columns, vectors.rows);
  return add_named(vectors, {ids, {}, replaces, columns});
}

std::int64_t CollectionEngine::add_named(MatrixView<float> vectors, const GivenNames& names) {
  if (vectors.rows == 0) return snapshot()->next_id();
  if (is_large(vectors, names.columns) && !store_.in_memory()) return add_large(vectors, names);
  const Clock::time_point start = Clock::now();
  std::shared_ptr<const ActiveModel> model = active();
  EncodedBatch batch;
  if (model != nullptr) batch = encode(*model, vectors);
  std::unique_lock lock = lock_change();
  wait_for_room(lock, Clock::now() - start);
  if (active() == nullptr) begin_flat(vectors);
  if (model != active()) {  // another one came meanwhile
    model = active();
    batch = encode(*model, vectors);
  }
  const std::shared_ptr<const Snapshot> now = head_;
  batch.ids = ids_for(*now, names, vectors.rows, &batch.next_id);
  refuse_known(*now, names);
  for (const std::string_view key : names.keys) batch.keys.add(key);
  const EncodedBatch copy = batch;  // for the log
  std::shared_ptr<const Snapshot> next = with_batch(*now, std::move(batch), names.columns);
  log_batch(copy, names.columns, *model->used.model);
  finish(lock, std::move(next));
  store_.statistics().count(names.replaces ? Counter::upserted : Counter::added, vectors.rows);
  return now->next_id();
}

std::size_t CollectionEngine::remove(std::span<const std::int64_t> ids) {
  require_writer();
  require_ids(IdType::int64);
  return remove_chosen([&](const Snapshot&) { return std::vector(ids.begin(), ids.end()); });
}

std::size_t CollectionEngine::remove_chosen(const Chosen& choose) {
  std::unique_lock lock = lock_change();
  std::size_t removed = 0;
  const std::vector<std::int64_t> ids = choose(*head_);
  std::shared_ptr<const Snapshot> next = with_removal(*head_, ids, &removed);
  if (removed == 0) return 0;
  const std::span<const std::byte> bytes = std::as_bytes(std::span(ids));
  log(ChangeKind::remove, std::span(&bytes, 1));
  finish(lock, std::move(next));
  store_.statistics().count(Counter::removed, removed);
  return removed;
}

}  // namespace obliq

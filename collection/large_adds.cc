// Many vectors at once: they become a segment's file beside other changes; then the log names it.
// From there on it is part of the collection, also before a manifest names it.
#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "collection/engine.h"
#include "collection/part_keys.h"
#include "collection/parts.h"
#include "index/segment/id_lookup.h"

namespace obliq {
namespace {

// A key that came meanwhile may have got another id.
void delete_keys(const Snapshot& now, const Part& added, Deletion& deletion) {
  for (std::uint32_t rank = 0; rank < added.keys->n(); ++rank) {
    const auto id = find_key(now, added.keys->key(rank));
    const auto place = id ? now.find(*id) : std::nullopt;
    if (place) deletion.add(*place);
  }
}

}  // namespace

std::shared_ptr<const Snapshot> CollectionEngine::with_segment(const Snapshot& now,
                                                               std::int64_t next_id, bool replaces,
                                                               Part added) const {
  std::vector<Part> parts = now.parts();
  Deletion deletion(parts);
  added.logged = now.sequence() + 1;
  if (replaces && added.keys != nullptr) delete_keys(now, added, deletion);
  for (std::size_t row = 0; replaces && row < added.rows(); ++row) {
    const auto place = now.find(added.segment.id(static_cast<std::uint32_t>(row)));
    if (place && deletion.add(*place) && added.keys != nullptr) {
      throw std::runtime_error("it gives an id inside to another key");
    }
  }
  const bool is_update = added.segment.info.encoded == 0;  // part_of
  KnownTuning tuned = now.tuned().after(is_update ? 0 : added.rows());
  parts.push_back(std::move(added));
  return std::make_shared<const Snapshot>(now.used(), std::move(parts), std::move(tuned),
                                          now.sequence() + 1, std::max(now.next_id(), next_id),
                                          now.schema());
}

std::shared_ptr<const Snapshot> CollectionEngine::with_logged_segment(
    const Snapshot& now, std::span<const std::byte> payload) const {
  const SegmentRecord record = read_segment_record(payload, *now.model());
  const PartKind kind = {store_.info(), *now.schema(), now.model()};
  return with_segment(now, record.next_id, true,
                      open_logged_part(store_.directory(), record, kind));
}

// Ids that are not given are taken first, so that nobody else gets them meanwhile; where this fails
// nobody ever does.
CollectionEngine::NamedVectors CollectionEngine::name_vectors(std::unique_lock<std::mutex>& lock,
                                                              MatrixView<float> vectors,
                                                              const GivenNames& names) {
  wait_for_room(lock, {});
  require_open();
  if (active() == nullptr) begin_flat(vectors);
  NamedVectors named;
  const Snapshot& now = *head_;
  named.ids = ids_for(now, names, vectors.rows, &named.next_id);
  refuse_known(now, names);
  named.file = store_.take_number();
  store_.keep(named.file, 0);
  named.first = now.next_id();
  if (names.ids.rows > 0) return named;
  const bool is_seen = now.sequence() == snapshot()->sequence();
  auto next = std::make_shared<const Snapshot>(now.used(), now.parts(), now.tuned(), now.sequence(),
                                               named.next_id, now.schema());
  head_ = next;
  if (is_seen) publish(std::move(next));
  return named;
}

Part CollectionEngine::write_vectors(const ActiveModel& model, MatrixView<float> vectors,
                                     const GivenNames& names, const NamedVectors& named) const {
  EncodedBatch batch = encode(model, vectors);
  batch.ids = named.ids;
  for (const std::string_view key : names.keys) batch.keys.add(key);
  return write_batch(model.used.model, std::move(batch), names.columns, named.file);
}

Part CollectionEngine::write_batch(const std::shared_ptr<const TrainedModel>& model,
                                   EncodedBatch batch, std::span<const ColumnValues> columns,
                                   std::uint64_t file) const {
  std::vector<Part> parts = {part_of(model, std::move(batch), columns)};
  Part part = store_.merge(model, sources_of(parts), file);
  store_.add_keys(part, parts);
  store_.statistics().count(Counter::sealed_bytes, part.file_bytes());
  return part;
}

// Its change, when all that may fail has been done. From then on nothing removes the file.
void CollectionEngine::log_segment(const Part& added, const NamedVectors& named) {
  const SegmentEntry entry = store_.entry_of(added);
  SegmentRecord record;
  record.model = added.segment.model->info.id;
  record.number = entry.number;
  record.bytes = entry.bytes;
  record.rows = entry.rows;
  record.check = entry.check;
  record.keys_check = entry.keys_check;
  record.next_id = named.next_id;
  const std::span<const std::byte> bytes = std::as_bytes(std::span(&record, 1));
  log(ChangeKind::add_segment, std::span(&bytes, 1));
  store_.keep(named.file, head_->sequence() + 1);
}

// Requires the lock of changes.
void CollectionEngine::end_large() {
  --writing_;
  sync_ended_.notify_all();
}

std::int64_t CollectionEngine::add_large(MatrixView<float> vectors, const GivenNames& names) {
  std::unique_lock lock = lock_change();
  const NamedVectors named = name_vectors(lock, vectors, names);
  ++writing_;
  lock.unlock();
  std::shared_ptr<const Snapshot> next;
  try {
    for (;;) {
      const std::shared_ptr<const ActiveModel> model = active();
      const Part added = write_vectors(*model, vectors, names, named);
      lock = lock_change();
      if (model == active()) {
        refuse_known(*head_, names);
        next = with_segment(*head_, named.next_id, names.replaces, added);
        log_segment(added, named);
        break;
      }
      lock.unlock();  // another model came meanwhile
    }
  } catch (...) {
    if (!lock) lock = lock_change();
    store_.forget(named.file);
    end_large();
    throw;
  }
  end_large();
  finish(lock, std::move(next));
  store_.statistics().count(names.replaces ? Counter::upserted : Counter::added, vectors.rows);
  return named.first;
}

}  // namespace obliq

// What those who run a collection ask of it: figures, whether its files are sound, a backup.
#include <algorithm>
#include <mutex>
#include <stdexcept>

#include "collection/backup.h"
#include "collection/engine.h"
#include "collection/tiers.h"
#include "collection/verification.h"
#include "index/columns/column_sections.h"

namespace obliq {
namespace {

void tell_parts(const Snapshot& now, CollectionStats& stats) {
  std::size_t rows = 0;
  for (const Part& part : now.parts()) {
    rows += part.rows();
    stats.deleted_rows += part.rows() - part.live();
    stats.file_bytes += part.file_bytes();
    stats.column_bytes += column_bytes(part.segment.columns.get());
    if (part.file != 0) continue;
    ++stats.segments_in_memory;
    stats.rows_in_memory += part.rows();
  }
  stats.segments = now.parts().size();
  if (rows > 0) {
    stats.deleted_share = static_cast<double>(stats.deleted_rows) / static_cast<double>(rows);
  }
}

void tell_tuning(const Snapshot& now, const ManifestInfo& info, const History& history,
                 CollectionStats& stats) {
  stats.is_tuned = now.tuned().tuning.queries > 0;
  if (!stats.is_tuned) return;
  stats.tuned_for = info.tuned_for;
  stats.is_tuning_outdated = now.tuned().is_outdated();
  if (history.tuned_at == 0) return;
  const std::uint64_t seconds = std::max(unix_seconds(), history.tuned_at);
  stats.tuned_seconds_ago = static_cast<double>(seconds - history.tuned_at);
}

}  // namespace

// Where changes came since the last manifest. Requires the lock of steps.
void CollectionEngine::keep_counters() {
  const CollectionCounters kept = store_.history().all_counters();
  if (!log_ || store_.statistics().of_life().logged_bytes == kept.logged_bytes) return;
  const std::unique_lock lock = lock_settled();
  const std::shared_ptr<const Snapshot> now = snapshot();
  std::vector<Part> parts = now->parts();
  store_.commit(store_.prepare(parts, now->used(), now->tuned(), now->next_id(),
                               store_.info().sequence, store_.info().first_log));
}

void CollectionEngine::verify(const VerifyOptions& options) const {
  if (!store_.in_memory()) verify_collection(store_.directory(), options);
}

void CollectionEngine::backup(const std::string& folder, const Progress& progress) const {
  require_own_process();
  if (store_.in_memory()) {
    throw std::invalid_argument("a collection in memory has no files: export an index of it");
  }
  back_up(store_.directory(), folder, progress);
}

CollectionStats CollectionEngine::stats() const {
  const std::shared_ptr<const Snapshot> now = snapshot();
  CollectionStats stats;
  ManifestInfo info;
  History history;
  {
    const std::lock_guard lock(changing_);
    info = store_.info();
    history = store_.history();
    if (log_) stats.log_bytes = log_->next().offset;
  }
  stats.n = now->n();
  stats.dim = info.dim;
  stats.metric = static_cast<Metric>(info.metric);
  stats.quantizer = info.quantizer;
  stats.columns = *now->schema();
  stats.is_exact = now->model() == nullptr || now->is_flat();
  stats.nlist = now->model() == nullptr ? 0 : now->model()->nlist();
  stats.trained_for = stats.is_exact ? 0 : now->model()->info.n;
  stats.changes = now->sequence();
  tell_parts(*now, stats);
  tell_tuning(*now, info, history, stats);
  const Drift drift = drift_of(*now, history);
  if (drift.vectors > 0) stats.drift = drift.share;
  store_.statistics().tell(stats);
  const std::lock_guard lock(status_);
  stats.background_error = background_error_;
  return stats;
}

}  // namespace obliq

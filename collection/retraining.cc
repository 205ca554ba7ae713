// A model is trained of all vectors, exact or decoded, which are encoded under it and, round by
// round, what was added meanwhile; the last round is short, and changes wait for it. Then one
// commit switches to the model and its segments, and the log goes on in a new file.
#include <fmt/format.h>

#include <mutex>
#include <stdexcept>
#include <utility>

#include "collection/column_values.h"
#include "collection/engine.h"
#include "collection/parts.h"
#include "index/build/build_plan.h"
#include "index/build/segment_encoder.h"
#include "index/model_access.h"
#include "index/segment/row_decoder.h"
#include "index/tune/tuning.h"
#include "obliq/model.h"

namespace obliq {
namespace {

constexpr std::size_t kMostRounds = 8;  // of what was added while a model was trained
constexpr std::size_t kFewRows = 4096;  // that changes may wait for
constexpr std::size_t kLeastTrained = 1000;

// The vectors of parts that are not deleted, exact or decoded.
class LiveVectors {
 public:
  explicit LiveVectors(const std::vector<Part>& parts)
      : set_(set_of(parts.front().segment.model, parts)),
        decoder_(set_),
        ids_(set_.n(), 1),
        rows_(set_.n(), set_.model().dim(),
              [this](std::size_t row, float* out) { decoder_.vector(slots_[row], out); }) {
    for_each_vector(set_, [&](std::uint32_t slot, std::int64_t id) {
      ids_.values[slots_.size()] = id;
      slots_.push_back(slot);
    });
  }
  LiveVectors(const LiveVectors&) = delete;
  LiveVectors& operator=(const LiveVectors&) = delete;

  const VectorSource& source() const { return rows_; }
  MatrixView<std::int64_t> ids() const { return ids_.view(); }
  Columns columns(const ColumnSchema& schema) const { return stored_values(set_, schema, slots_); }

 private:
  SegmentSet set_;
  RowDecoder decoder_;
  Matrix<std::int64_t> ids_;
  std::vector<std::uint32_t> slots_;
  RowSource rows_;
};

}  // namespace

// The vectors of parts, encoded under the model in memory; the first ones with truth to tune from.
CollectionEngine::Moved CollectionEngine::encode_parts(const ActiveModel& model,
                                                       const std::vector<Part>& parts, bool first,
                                                       const Progress& progress) const {
  Moved moved;
  moved.from = parts;
  const LiveVectors live(parts);
  EncodeInput input = {live.source()};
  input.ids = live.ids();
  const Columns columns = live.columns(*snapshot()->schema());
  input.columns = columns;
  input.chunk_rows = usual_chunk(store_.info().dim);
  input.truth = first && !model.used.model->learn_ids.empty();
  input.threads = access_.threads;
  input.progress = progress;
  moved.to.segment = encode_segment(model.used.model, input);
  return moved;
}

std::shared_ptr<const CollectionEngine::ActiveModel> CollectionEngine::train_of(
    const std::vector<Part>& parts, const Progress& progress) const {
  const LiveVectors live(parts);
  BuildOptions options = build_options(store_.info(), access_.threads);
  options.progress = progress;
  options.ids = live.ids();
  ModelInUse used;
  used.model = ModelAccess::get(Model::train(live.source(), options));
  return std::make_shared<const ActiveModel>(used);
}

// The parts that came since it was called last. They stay as they are until the step ends.
std::vector<Part> CollectionEngine::take_fresh(std::vector<Part>& seen) {
  std::vector<Part> fresh;
  for (const Part& part : snapshot()->parts()) {
    if (!is_in(seen, part)) fresh.push_back(part);
  }
  seen.insert(seen.end(), fresh.begin(), fresh.end());
  set_busy(seen);
  return fresh;
}

void CollectionEngine::encode_again(const Progress& progress) {
  std::vector<Part> seen;
  const auto take = [&] {
    const std::unique_lock lock = lock_settled();
    return take_fresh(seen);
  };
  const std::vector<Part> all = take();
  if (live_rows(all) < kLeastTrained) return;  // they were removed meanwhile
  store_.verify(all);
  std::shared_ptr<const ActiveModel> model = train_of(all, progress);
  std::vector<Moved> moved;
  moved.push_back(encode_parts(*model, all, true, progress));
  Tuning tuning = tune_from_truth(SegmentSet(model->used.model, {moved.front().to.segment}),
                                  {access_.threads, progress});
  moved.front().to.segment.truth = {};
  for (std::size_t round = 0; round < kMostRounds; ++round) {
    if (live_rows(snapshot()->parts()) <= live_rows(seen) + kFewRows) break;
    const std::vector<Part> fresh = take();
    if (live_rows(fresh) > 0) moved.push_back(encode_parts(*model, fresh, false, progress));
  }
  store_.save(*model->used.model);
  const std::unique_lock lock = lock_settled();
  const std::vector<Part> last = take_fresh(seen);
  if (live_rows(last) > 0) moved.push_back(encode_parts(*model, last, false, {}));
  switch_model(std::move(model), std::move(moved), std::move(tuning));
}

void CollectionEngine::retrain(const Progress& progress) {
  const LatencyTimer timer(store_.statistics().times(Timed::train));
  const auto ends = [&] {
    const std::lock_guard lock(changing_);
    busy_.clear();
  };
  try {
    encode_again(progress);
  } catch (...) {
    ends();
    throw;
  }
  ends();
}

// Requires the lock of changes.
void CollectionEngine::switch_model(std::shared_ptr<const ActiveModel> model,
                                    std::vector<Moved> moved, Tuning tuning) {
  const bool is_tuned = tuning.queries > 0;
  KnownTuning tuned = {std::move(tuning), is_tuned ? moved.front().to.segment.info.n : 0};
  const std::shared_ptr<const Snapshot> now = snapshot();
  std::vector<Part> parts;
  std::vector<Part> from;
  for (Moved& each : moved) {
    parts.push_back(std::move(each.to));
    from.insert(from.end(), each.from.begin(), each.from.end());
    delete_since(each.from, now->parts(), parts);
  }
  std::vector<Part> merged = {
      store_.merge(model->used.model, sources_of(parts), store_.take_number())};
  store_.add_keys(merged.front(), from);
  const Segment& made = merged.front().segment;
  store_.statistics().count(Counter::trained_bytes, merged.front().file_bytes());
  const std::uint64_t first_log = rotate_log();
  Manifest manifest =
      store_.prepare(merged, model->used, tuned, now->next_id(), now->sequence(), first_log);
  manifest.history.tuned_at = is_tuned ? unix_seconds() : 0;
  manifest.history.trained_encoded = made.info.encoded;
  manifest.history.trained_drift = made.info.drift;
  auto next = std::make_shared<const Snapshot>(model->used, std::move(merged), std::move(tuned),
                                               now->sequence(), now->next_id(), now->schema());
  store_.commit(manifest);
  show(std::move(next), std::move(model));
}

void CollectionEngine::train(const Progress& progress) {
  const std::unique_lock one = begin_step();
  const std::size_t n = snapshot()->n();
  if (n < kLeastTrained) {
    throw std::invalid_argument(
        fmt::format("there are {} vectors: a model takes {} or more", n, kLeastTrained));
  }
  retrain(pace(0, progress));
}

}  // namespace obliq

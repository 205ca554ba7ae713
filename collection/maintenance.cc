// Steps in the background. Each takes a snapshot, makes a new segment of it beside the changes that
// go on, and puts it in the place of the old ones in a short step that changes wait for and
// searches do not: what was deleted meanwhile is deleted in the new segment, too.
//
//     seal      segments in memory become a file, and the log goes on in a new file
//     merge     four files of like size, or one with many deleted rows, become one
//     retrain   a model is trained of all vectors, which are encoded under it, and so is, round by
//               round, what was added meanwhile
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <filesystem>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "collection/background.h"
#include "collection/engine.h"
#include "collection/tiers.h"
#include "index/build/build_plan.h"
#include "index/build/segment_encoder.h"
#include "index/model_access.h"
#include "index/segment/id_lookup.h"
#include "index/segment/row_decoder.h"
#include "index/segment/segment_file.h"
#include "index/tune/tuning.h"
#include "obliq/model.h"
#include "storage/file_error.h"

namespace obliq {
namespace {

constexpr std::size_t kMostRounds = 8;  // of what was added while a model was trained
constexpr std::size_t kFewRows = 4096;  // that changes may wait for
constexpr std::size_t kLeastTrained = 1000;

bool is_in(const std::vector<Part>& parts, const Part& part) {
  return std::any_of(parts.begin(), parts.end(),
                     [&](const Part& other) { return other.segment.owner == part.segment.owner; });
}

std::vector<MergeSource> sources_of(const std::vector<Part>& parts) {
  std::vector<MergeSource> sources;
  for (const Part& part : parts) {
    sources.push_back(
        {part.segment, fmt::format("segment {:016x}", part.file), part.deleted.get()});
  }
  return sources;
}

// Deletes in parts.back() what was deleted of `from` between then and `now`.
void delete_since(const std::vector<Part>& from, const std::vector<Part>& now,
                  std::vector<Part>& parts) {
  Deletion deletion(parts);
  for (const Part& then : from) {
    for (const Part& part : now) {
      if (part.segment.owner != then.segment.owner || part.deleted == nullptr) continue;
      part.deleted->for_each([&](std::uint32_t row) {
        if (then.deleted != nullptr && then.deleted->has(row)) return;
        const std::uint32_t place = row_of(parts.back().segment, part.segment.id(row));
        if (place != kNoSlot) deletion.add({parts.size() - 1, place});
      });
    }
  }
}

std::size_t live_rows(const std::vector<Part>& parts) {
  return std::accumulate(parts.begin(), parts.end(), std::size_t{0},
                         [](std::size_t sum, const Part& part) { return sum + part.live(); });
}

// The vectors of parts that are not deleted, exact or decoded.
class LiveVectors {
 public:
  explicit LiveVectors(const std::vector<Part>& parts)
      : set_(parts.front().segment.model, segments_of(parts), deleted_of(parts)),
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

 private:
  static std::vector<Segment> segments_of(const std::vector<Part>& parts) {
    std::vector<Segment> segments;
    for (const Part& part : parts) segments.push_back(part.segment);
    return segments;
  }
  static std::vector<std::shared_ptr<const RowBits>> deleted_of(const std::vector<Part>& parts) {
    std::vector<std::shared_ptr<const RowBits>> deleted;
    for (const Part& part : parts) deleted.push_back(part.deleted);
    return deleted;
  }

  SegmentSet set_;
  RowDecoder decoder_;
  Matrix<std::int64_t> ids_;
  std::vector<std::uint32_t> slots_;
  RowSource rows_;
};

}  // namespace

void CollectionEngine::look_for_work() {
  if (access_.read_only || next_work(*snapshot(), store_.info(), store_.in_memory()).nothing()) {
    return;
  }
  {
    const std::lock_guard lock(status_);
    if (is_working_ || is_closing_ || must_tell_) return;
    is_working_ = true;
  }
  try {
    run_in_background([this] { work(); });
  } catch (...) {
    const std::lock_guard lock(status_);
    is_working_ = false;
    throw;
  }
}

void CollectionEngine::work() {
  const auto goes_on = [&] {
    const std::lock_guard lock(status_);
    return !is_closing_;
  };
  std::string error;
  try {
    while (goes_on() && step()) {
    }
  } catch (const std::exception& failure) {
    error = failure.what();
  }
  std::unique_lock lock(status_);
  if (!error.empty()) {
    background_error_ = error;
    must_tell_ = true;
  }
  is_working_ = false;
  const bool goes = !is_closing_ && error.empty();
  // A change that came after the last look has found a step at work.
  if (goes && !next_work(*snapshot(), store_.info(), store_.in_memory()).nothing()) {
    is_working_ = true;
    run_in_background([this] { work(); });
  }
  changed_.notify_all();
}

void CollectionEngine::wait() {
  look_for_work();
  std::unique_lock lock(status_);
  changed_.wait(lock, [&] { return !is_working_; });
  if (!std::exchange(must_tell_, false)) return;
  throw std::runtime_error("a step in the background failed: " + background_error_);
}

bool CollectionEngine::step() {
  const std::lock_guard one(stepping_);
  const Work work = next_work(*snapshot(), store_.info(), store_.in_memory());
  if (work.nothing()) return false;
  if (work.train) {
    retrain();
  } else if (work.seal) {
    seal();
  } else {
    merge_files(work.merge);
  }
  return true;
}

void CollectionEngine::set_busy(const std::vector<Part>& parts) {
  busy_.clear();
  for (const Part& part : parts) busy_.push_back(part.segment.owner.get());
}

// Requires the lock of changes. The new log is there before the old one is closed.
std::uint64_t CollectionEngine::rotate_log() {
  if (store_.in_memory()) return 0;
  if (!log_) throw std::invalid_argument("the collection is closed");
  const std::uint64_t number = store_.take_number();
  LogWriter next =
      LogWriter::create(store_.directory().path(), CollectionDirectory::log_name(number),
                        store_.info().collection, snapshot()->sequence() + 1);
  try {
    log_->close();
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove(store_.directory().log(number), ignored);
    throw;
  }
  log_.emplace(std::move(next));
  log_number_ = number;
  return number;
}

void CollectionEngine::seal() {
  Moved moved;
  std::uint64_t sequence = 0;
  std::uint64_t first_log = 0;
  std::uint64_t number = 0;
  std::shared_ptr<const Snapshot> now;
  {
    const std::lock_guard lock(changing_);
    now = snapshot();
    for (const Part& part : now->parts()) {
      if (part.file == 0) moved.from.push_back(part);
    }
    if (moved.from.empty()) return;
    sequence = now->sequence();
    first_log = rotate_log();
    number = store_.take_number();
    set_busy(moved.from);
  }
  try {
    moved.to = store_.merge(now->model(), sources_of(moved.from), number);
    replace(moved, sequence, first_log);
  } catch (...) {
    const std::lock_guard lock(changing_);
    busy_.clear();
    throw;
  }
}

void CollectionEngine::merge_files(const std::vector<Part>& parts) {
  Moved moved;
  moved.from = parts;
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(changing_);
    number = store_.take_number();
  }
  moved.to = store_.merge(snapshot()->model(), sources_of(parts), number);
  replace(moved, store_.info().sequence, store_.info().first_log);
}

void CollectionEngine::replace(const Moved& moved, std::uint64_t sequence,
                               std::uint64_t first_log) {
  const std::lock_guard lock(changing_);
  const std::shared_ptr<const Snapshot> now = snapshot();
  std::vector<Part> parts;
  bool placed = false;
  for (const Part& part : now->parts()) {
    if (!is_in(moved.from, part)) {
      parts.push_back(part);
    } else if (!std::exchange(placed, true)) {
      std::vector<Part> merged = {moved.to};
      delete_since(moved.from, now->parts(), merged);
      parts.push_back(std::move(merged.front()));
    }
  }
  std::erase_if(parts, [](const Part& part) { return part.live() == 0; });
  store_.commit(parts, now->used(), now->tuning(), now->next_id(), sequence, first_log);
  publish(std::make_shared<const Snapshot>(now->used(), std::move(parts), now->tuning(),
                                           now->sequence(), now->next_id()));
  busy_.clear();
}

// The vectors of parts, encoded under the model: the first ones into a file, with truth to tune
// from; later ones in memory.
CollectionEngine::Moved CollectionEngine::encode_parts(const ActiveModel& model,
                                                       const std::vector<Part>& parts,
                                                       bool first) const {
  Moved moved;
  moved.from = parts;
  const LiveVectors live(parts);
  EncodeInput input = {live.source()};
  input.ids = live.ids();
  input.chunk_rows = usual_chunk(store_.info().dim);
  input.truth = first && !model.used.model->learn_ids.empty();
  input.threads = access_.threads;
  moved.to.segment = encode_segment(model.used.model, input);
  return moved;
}

std::shared_ptr<const CollectionEngine::ActiveModel> CollectionEngine::train_of(
    const std::vector<Part>& parts) const {
  const LiveVectors live(parts);
  BuildOptions options = build_options(store_.info(), access_.threads);
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

void CollectionEngine::encode_again() {
  std::vector<Part> seen;
  const auto take = [&] {
    const std::lock_guard lock(changing_);
    return take_fresh(seen);
  };
  const std::vector<Part> all = take();
  std::shared_ptr<const ActiveModel> model = train_of(all);
  std::vector<Moved> moved;
  moved.push_back(encode_parts(*model, all, true));
  Tuning tuning = tune_from_truth(SegmentSet(model->used.model, {moved.front().to.segment}),
                                  {access_.threads, {}});
  moved.front().to.segment.truth = {};
  for (std::size_t round = 0; round < kMostRounds; ++round) {
    if (live_rows(snapshot()->parts()) <= live_rows(seen) + kFewRows) break;
    const std::vector<Part> fresh = take();
    if (live_rows(fresh) > 0) moved.push_back(encode_parts(*model, fresh, false));
  }
  store_.save(*model->used.model);
  const std::lock_guard lock(changing_);
  const std::vector<Part> last = take_fresh(seen);
  if (live_rows(last) > 0) moved.push_back(encode_parts(*model, last, false));
  switch_model(std::move(model), std::move(moved), std::move(tuning));
  busy_.clear();
}

void CollectionEngine::retrain() {
  try {
    encode_again();
  } catch (...) {
    const std::lock_guard lock(changing_);
    busy_.clear();
    throw;
  }
}

// Requires the lock of changes.
void CollectionEngine::switch_model(std::shared_ptr<const ActiveModel> model,
                                    std::vector<Moved> moved, Tuning tuning) {
  const std::shared_ptr<const Snapshot> now = snapshot();
  std::vector<Part> parts;
  for (Moved& each : moved) {
    parts.push_back(std::move(each.to));
    delete_since(each.from, now->parts(), parts);
  }
  std::vector<Part> merged = {
      store_.merge(model->used.model, sources_of(parts), store_.take_number())};
  const std::uint64_t first_log = rotate_log();
  store_.commit(merged, model->used, tuning, now->next_id(), now->sequence(), first_log);
  auto next = std::make_shared<const Snapshot>(model->used, std::move(merged), std::move(tuning),
                                               now->sequence(), now->next_id());
  const std::lock_guard lock(seeing_);
  active_ = std::move(model);
  snapshot_ = std::move(next);
}

void CollectionEngine::train() {
  require_writer();
  const std::size_t n = snapshot()->n();
  if (n < kLeastTrained) {
    throw std::invalid_argument(
        fmt::format("there are {} vectors: a model takes {} or more", n, kLeastTrained));
  }
  const std::lock_guard one(stepping_);
  retrain();
}

void CollectionEngine::compact() {
  require_writer();
  const std::lock_guard one(stepping_);
  if (snapshot()->model() == nullptr) return;
  if (!store_.in_memory()) seal();
  std::vector<Part> parts;
  for (const Part& part : snapshot()->parts()) {
    if (store_.in_memory() || part.file != 0) parts.push_back(part);
  }
  const bool is_compact = parts.size() == 1 && parts.front().live() == parts.front().rows();
  if (!parts.empty() && !is_compact) merge_files(parts);
}

}  // namespace obliq

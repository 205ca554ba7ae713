// What the logs say of the changes that are in no manifest's files: all of it, or on from a place.
#include <fmt/format.h>

#include <stdexcept>
#include <utility>

#include "collection/engine.h"
#include "collection/logs.h"
#include "storage/file_error.h"

namespace obliq {
std::shared_ptr<const Snapshot> CollectionEngine::changed(
    const Snapshot& now, std::uint8_t type, std::span<const std::byte> payload) const {
  if (type == static_cast<std::uint8_t>(ChangeKind::remove)) {
    return with_removal(now, read_removal(payload), nullptr);
  }
  const std::optional<BatchKind> kind = batch_kind(type);
  if (kind && now.model() != nullptr) {
    if (kind->has_keys != (store_.info().ids != 0)) {
      throw std::runtime_error(kind->has_keys ? "it has keys" : "it has no keys");
    }
    ReadBatch read = read_batch(payload, *now.model(), *now.schema(), *kind);
    if (kind->has_keys) check_numbers(now, read.batch);
    return with_batch(now, std::move(read.batch), read.columns);
  }
  if (type == static_cast<std::uint8_t>(ChangeKind::add_segment) && now.model() != nullptr) {
    return with_logged_segment(now, payload);
  }
  throw std::runtime_error(fmt::format("it is of the unknown kind {}", type));
}

void CollectionEngine::replay(std::shared_ptr<const Snapshot>& state) {
  const ManifestInfo info = store_.info();
  const std::vector<std::uint64_t> logs = store_.directory().logs_from(info.first_log);
  if (logs.empty() && info.model != 0) refuse_missing_log(store_.directory().log(info.first_log));
  log_number_ = info.first_log;
  for (const std::uint64_t log : logs) {
    store_.skip_numbers(log);
    replay_log(log, log == logs.back(), {}, state);
  }
}

void CollectionEngine::replay_on(std::shared_ptr<const Snapshot>& state) {
  const std::vector<std::uint64_t> logs = store_.directory().logs_from(log_number_);
  // A place in one log means nothing in another: a newer manifest came, or it is damaged.
  if (logs.empty() || logs.front() != log_number_) {
    refuse_missing_log(store_.directory().log(log_number_));
  }
  std::optional<LogPlace> from = followed_;
  for (const std::uint64_t log : logs) {
    replay_log(log, log == logs.back(), std::exchange(from, std::nullopt), state);
  }
}

// All logs but the last were whole before the next was made.
void CollectionEngine::replay_log(std::uint64_t number, bool is_last, std::optional<LogPlace> from,
                                  std::shared_ptr<const Snapshot>& state) {
  const std::string path = store_.directory().log(number);
  const std::uint64_t owner = store_.info().collection;
  refuse_link(path);
  const LogReader reader(path, owner);
  const LogPlace place = from.value_or(reader.start());
  require_next(path, place.seq, state->sequence() + 1);
  const auto take = [&](std::uint64_t seq, std::uint8_t type, std::span<const std::byte> payload) {
    try {
      state = changed(*state, type, payload);
    } catch (const std::runtime_error& error) {
      throw std::runtime_error(
          fmt::format("{}: change {}: {}; the collection is damaged", path, seq, error.what()));
    }
  };
  log_number_ = number;
  if (is_last && lock_) {
    log_.emplace(LogWriter::open_for_append(path, owner, take));
    return;
  }
  const LogEnd end = reader.replay(place, take);
  followed_ = end.next;
  if (is_last || end.torn_bytes == 0) return;
  throw_damaged(path, end.next.offset, "it is cut off, and another log follows");
}

}  // namespace obliq

// What another process writes: a newer manifest is opened, with the files that are open already, or
// the logs are read on from where they were read to.
#include <fmt/format.h>

#include <exception>
#include <system_error>
#include <utility>

#include "collection/background.h"
#include "collection/engine.h"

namespace obliq {

bool CollectionEngine::refresh() {
  require_own_process();
  if (!access_.read_only) return false;
  const std::lock_guard lock(changing_);
  const std::uint64_t before = snapshot()->sequence();
  const std::uint64_t version = store_.info().version;
  if (!catch_up()) load();
  return snapshot()->sequence() != before || store_.info().version != version;
}

// Only where the manifest is still the newest, and the model is known.
bool CollectionEngine::catch_up() {
  const CollectionDirectory& directory = store_.directory();
  const std::uint64_t version = store_.info().version;
  if (!followed_ || directory.newest_manifest() != version) return false;
  std::shared_ptr<const Snapshot> state = snapshot();
  if (state->model() == nullptr) return false;
  try {
    replay_on(state);
  } catch (const std::exception&) {
    followed_.reset();  // of a state that nobody sees
    if (directory.newest_manifest() == version) throw;
    return false;
  }
  if (state != snapshot()) show(std::move(state));
  return true;
}

void CollectionEngine::plan_look() {
  if (access_.follow <= 0) return;
  const auto look = [later = later_] {
    later->run([](CollectionEngine& engine) {
      try {
        engine.refresh();
      } catch (const std::exception& failure) {
        engine.note_failure(failure.what());
      }
      engine.plan_look();
    });
  };
  run_in_background(Clock::now() + bounded_duration(access_.follow), look);
}

}  // namespace obliq

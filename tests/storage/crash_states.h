// Power failures: what may be on the disk when it comes back, after any of the recorded operations.
//
// - A sector of 512 bytes is written whole or not at all. One that was written since its file was
//   synced is as it was then, or as any of the writes since has left it, whatever the others are:
//   so pages are old, new, or torn.
// - The size of a file is the synced one or a later one. What a size has grown by reads as zeros
//   until its sectors are there.
// - Of the names that were made, changed and removed since the folder was synced any subset is
//   there; each rename has happened or has not. Syncing a file does not make its name last.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "storage/temporary_folder.h"
#include "tests/storage/simulated_disk.h"

namespace obliq {

struct CrashState {
  std::string folder;  ///< what is left; the check may change it as it likes
  int noted;           ///< the last note before the power failure; -1: none
};

/// Calls `check` with up to about `count` different states: all where these are few, else some
/// drawn at random, each power failure having the same share. Ends with the first state at which
/// the check fails or throws, telling operation and seed. Returns how many were checked.
std::size_t for_each_crash_state(const DiskRecording& recording, std::size_t count,
                                 std::uint64_t seed,
                                 const std::function<void(const CrashState&)>& check);

/// A folder in memory where the system has that.
TemporaryFolder fast_folder();

/// `usual`, or what the environment variable OBLIQ_CRASH_STATES says: for long runs.
std::size_t crash_state_count(std::size_t usual);
/// 1, or what OBLIQ_CRASH_SEED says.
std::uint64_t crash_seed();

}  // namespace obliq

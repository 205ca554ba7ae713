// The logs behind a manifest, as whoever opens the collection replays them.
#pragma once

#include <cstdint>
#include <vector>

#include "collection/directory.h"
#include "collection/manifest.h"
#include "storage/log_reader.h"

namespace obliq {

/// Throws std::runtime_error: the log is missing.
[[noreturn]] void refuse_missing_log(const std::string& path);
/// Throws std::runtime_error where the first change of the log at `path` is not the next one.
void require_next(const std::string& path, std::uint64_t first, std::uint64_t next);

/// A log, open, with what was whole of it when it was read.
struct ReadLog {
  std::uint64_t number;
  LogReader reader;
  LogEnd end;
};

/// Reads them all, giving each change to `take`; what is torn at the end of the last is left out.
/// Throws std::runtime_error naming file and offset where one is damaged or missing: changes are
/// numbered without a gap from that of the manifest on.
std::vector<ReadLog> read_logs(const CollectionDirectory& directory, const ManifestInfo& info,
                               const LogTake& take);

}  // namespace obliq

// The logs behind a manifest, as whoever opens the collection replays them.
#pragma once

#include <cstdint>
#include <vector>

#include "collection/directory.h"
#include "collection/manifest.h"
#include "storage/log_reader.h"

namespace obliq {

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

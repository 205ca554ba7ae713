// An index on its way into a file, section by section (segment_file.cc): small ones first, then
// blocks, rows and raw tier in pieces, ids, and the tuning, for which the index is searched as it
// lies in the unfinished file. Nothing is seen at the path before all is there.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "index/segment/segment.h"
#include "storage/section_file.h"
#include "storage/staging_file.h"

namespace obliq {

/// Takes bytes in order.
using ByteSink = std::function<void(std::span<const std::uint8_t>)>;

class SegmentWriter {
 public:
  /// Writes what stands before the blocks; the segment must outlive this. Throws std::system_error.
  SegmentWriter(const std::string& path, Segment& segment);

  /// Begins a section and returns what appends to it.
  ByteSink begin(std::string_view section);
  /// Appends all of a staging file, `piece` bytes at a time.
  void append(const StagingFile& staging, std::size_t piece);
  /// Writes the ids, calls `tune` with the segment complete but for its tuning, writes that, and
  /// puts the file in its place. The segment must not be used afterwards.
  void finish(const std::function<void(Segment&)>& tune);

 private:
  Segment& segment_;
  SectionWriter file_;
};

}  // namespace obliq

// An index as a file of sections (docs/file_format.md).
#pragma once

#include <string>

#include "index/segment.h"

namespace obliq {

/// Writes the segment to one file, atomically. Throws std::system_error.
void save_segment(const Segment& segment, const std::string& path);

/// Opens a saved segment. See Index::open.
Segment open_segment(const std::string& path, const OpenOptions& options);

}  // namespace obliq

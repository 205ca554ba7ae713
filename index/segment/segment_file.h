// An index as a file of sections (docs/file_format.md).
#pragma once

#include <string>

#include "index/segment/segment.h"
#include "storage/section_file.h"

namespace obliq {

/// Writes the segment to one file, atomically. Throws std::system_error.
void save_segment(const Segment& segment, const std::string& path);

/// The sections before the blocks.
void write_small_sections(SectionWriter& writer, const Segment& segment);

/// Opens a saved segment. See Index::open.
Segment open_segment(const std::string& path, const OpenOptions& options);

}  // namespace obliq

// A segment as sections of a file (docs/file_format.md): of a file of its own, or with its model
// and tuning as an index of one file.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "index/segment/section_reader.h"
#include "index/segment/segment.h"
#include "obliq/index.h"
#include "storage/section_file.h"

namespace obliq {

/// Writes the sections before the blocks, and tells how many bytes the others have, columns those
/// given.
void write_lists(SectionSink& writer, const SegmentInfo& info, const ListDirectory& lists,
                 const TrainedModel& model, std::uint64_t column_bytes);
/// Writes those behind the raw tier: ids or positions, and truth where there is one.
void write_ids(SectionSink& writer, const Segment& segment);
void write_truth(SectionSink& writer, const Truth& truth);
/// Writes the section of the tuning, if there is one.
void write_tuning_section(SectionSink& writer, const Tuning& tuning);

/// Called when all is written, before the file appears; what it throws keeps it from that.
using BeforeCommit = std::function<void()>;

/// Writes the file of a segment, atomically. Throws std::system_error.
void save_segment(const Segment& segment, const std::string& path, const BeforeCommit& ready = {});
/// Writes model, segment and tuning to one file, without what tuning alone needs.
void save_index(const Segment& segment, const std::string& path, const BeforeCommit& ready = {});

/// Opens the file of a segment of this model. Throws as Index::open does, and
/// std::invalid_argument naming both models where it is of another.
/// `read` gets the share of the bytes that is verified, and returns true.
Segment open_segment(const std::string& path, const std::shared_ptr<const TrainedModel>& model,
                     const OpenOptions& options, const std::function<bool(double)>& read = {});
/// Opens an index of one file. See Index::open.
Segment open_index(const std::string& path, const OpenOptions& options);

}  // namespace obliq

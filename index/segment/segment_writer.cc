// Sections are written in their order, so that blocks and rows need not be in memory. For tuning,
// what has been written so far is mapped and searched.
#include "index/segment/segment_writer.h"

#include <algorithm>
#include <vector>

#include "index/segment/segment_file.h"
#include "index/segment/tuning_section.h"

namespace obliq {
namespace {

std::span<const std::uint8_t> unsigned_bytes(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
}

}  // namespace

SegmentWriter::SegmentWriter(const std::string& path, Segment& segment)
    : segment_(segment), file_(path) {
  write_small_sections(file_, segment);
}

ByteSink SegmentWriter::begin(std::string_view section) {
  file_.begin(section);
  return [this](std::span<const std::uint8_t> bytes) { file_.append(std::as_bytes(bytes)); };
}

void SegmentWriter::append(const StagingFile& staging, std::size_t piece) {
  std::vector<std::uint8_t> buffer;
  for (std::uint64_t first = 0; first < staging.size(); first += piece) {
    const std::size_t count = std::min<std::uint64_t>(piece, staging.size() - first);
    file_.append(std::as_bytes(staging.read(first, count, buffer)));
  }
}

void SegmentWriter::finish(const std::function<void(Segment&)>& tune) {
  file_.add("ids", std::as_bytes(segment_.ids));
  segment_.blocks = unsigned_bytes(file_.written("blocks"));
  segment_.rows = unsigned_bytes(file_.written("rows"));
  segment_.raw = unsigned_bytes(file_.written("raw"));
  tune(segment_);
  if (segment_.tuning.queries > 0) file_.add("tuning", write_tuning(segment_.tuning));
  file_.commit();
}

}  // namespace obliq

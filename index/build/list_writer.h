// Lays coded vectors down as lists: entries in blocks, and in their rows the numbers whose units
// are known only once a list is complete. Blocks and rows leave in order, piece by piece, and what
// is read was written in order: neither needs to be in memory. The stream of blocks is made a
// window at a time; each window takes a pass over all entries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "index/build/base_encoder.h"
#include "index/segment/segment.h"
#include "index/segment/segment_writer.h"

namespace obliq {

class ListWriter {
 public:
  /// Both must outlive this. Uses the segment's info, row shape and spilled. `piece_bytes`: of
  /// blocks and of rows made at a time, more or less.
  ListWriter(const Segment& segment, EncodedBase& coded, std::size_t piece_bytes)
      : segment_(segment), coded_(coded), piece_bytes_(piece_bytes) {}

  /// Completes the segment's records: where each list lies and its units. Throws
  /// std::invalid_argument when there are more entries than a primary can number. To be called
  /// before the others.
  std::vector<ListRecord> place();
  /// The length of the block stream in entries.
  std::uint64_t entries() const { return entries_; }

  /// Root mean squares over the rows: the sine of sign codes and the tangent of row codes
  /// (segment.h).
  float sine() const;
  float row_tangent() const;

  void write_blocks(const ByteSink& sink);
  /// Completes the rows: those in memory where they lie, which then need no sink.
  void write_rows(const ByteSink& sink);

 private:
  /// A window of the block stream, [begin, end) in entries.
  struct Window {
    std::uint64_t begin;
    std::uint64_t end;
    std::vector<std::uint8_t> blocks;
  };
  std::size_t piece_entries() const;
  void measure();
  void fill(const EncodedEntries& entries, std::vector<std::uint64_t>& next, Window& window);

  const Segment& segment_;
  EncodedBase& coded_;
  std::size_t piece_bytes_;
  std::vector<ListRecord> records_;
  std::uint64_t entries_ = 0;
  double sine2_ = 0;
  double tangent2_ = 0;
};

}  // namespace obliq

// Encoded vectors laid down as lists: entries in blocks, and in their rows the numbers whose units
// are known only once a list is complete. Blocks and rows leave in order, piece by piece, and what
// is read was written in order: neither needs to be in memory. The stream of blocks is made a
// window at a time; each window takes a pass over all entries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "index/build/base_encoder.h"
#include "index/build/build_plan.h"
#include "index/build/trained_parts.h"
#include "index/segment/segment.h"
#include "index/segment/segment_writer.h"

namespace obliq {

class PlacedLists {
 public:
  /// Places all lists: counts their entries and chooses their units. Throws std::invalid_argument
  /// when there are more entries than a row can name.
  PlacedLists(const BuildPlan& plan, const TrainedParts& parts, EncodedBase encoded);

  const std::vector<ListRecord>& lists() const { return lists_; }
  /// The length of the block stream in entries.
  std::uint64_t entries() const { return entries_; }
  /// Vectors with a second entry.
  std::uint64_t spilled() const { return encoded_.spilled; }
  const RowShape& row_shape() const { return shape_; }

  /// Root mean squares over the rows: the sine of the angle between residual and signs, the tangent
  /// of that between residual and code, and the length of the vectors as given.
  float sine() const;
  float row_tangent() const;
  float typical_norm() const;

  void write_blocks(const ByteSink& sink);
  /// Completes the rows and hands them over; those in memory stay where they lie, which then need
  /// no sink.
  void write_rows(const ByteSink& sink);
  StagingFile& rows() { return encoded_.rows; }
  StagingFile& raw() { return encoded_.raw; }

 private:
  /// A window of the block stream, [begin, end) in entries.
  struct Window {
    std::uint64_t begin;
    std::uint64_t end;
    std::vector<std::uint8_t> blocks;
  };
  std::size_t piece_entries() const;
  std::vector<std::uint64_t> first_entries() const;
  void measure();
  void place(const std::string& spec);
  void fill(const EncodedEntries& entries, std::vector<std::uint64_t>& next, Window& window);

  const std::size_t n_;
  const std::size_t dim_;
  const std::size_t piece_bytes_;
  const RowShape shape_;
  EncodedBase encoded_;
  std::vector<ListRecord> lists_;
  std::uint64_t entries_ = 0;
  double sine2_ = 0;
  double tangent2_ = 0;
};

}  // namespace obliq

#include "index/build/list_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "index/build/list_units.h"
#include "index/segment/list_layout.h"

namespace obliq {
namespace {

// Calls visit(row, numbers) for all entries, `piece` at a time.
template <typename Visit>
void for_each_numbers(const EncodedEntries& entries, std::size_t piece, Visit visit) {
  std::vector<std::uint8_t> buffer;
  for (std::size_t first = 0; first < entries.lists.size(); first += piece) {
    const std::size_t count = std::min(piece, entries.lists.size() - first);
    const auto bytes = entries.numbers.read(first * sizeof(EncodedNumbers),
                                            count * sizeof(EncodedNumbers), buffer);
    const auto* numbers = reinterpret_cast<const EncodedNumbers*>(bytes.data());
    for (std::size_t i = 0; i < count; ++i) visit(first + i, numbers[i]);
  }
}

}  // namespace

std::size_t ListWriter::piece_entries() const {
  const std::size_t bytes = sizeof(EncodedNumbers) + plane_bytes(segment_.dim());
  return std::max<std::size_t>(piece_bytes_ / bytes, 1);
}

// Counts the entries of each list and chooses its units.
void ListWriter::measure() {
  std::vector<NumberRange> primaries(records_.size());
  std::vector<NumberRange> seconds(records_.size());
  for_each_numbers(coded_.primaries, piece_entries(),
                   [&](std::size_t row, const EncodedNumbers& v) {
                     primaries[coded_.primaries.lists[row]].add(v);
                     sine2_ += v.sine2;
                     tangent2_ += v.tangent2;
                   });
  for_each_numbers(coded_.seconds, piece_entries(), [&](std::size_t row, const EncodedNumbers& v) {
    if (coded_.seconds.lists[row] != kNoList) seconds[coded_.seconds.lists[row]].add(v);
  });
  for (std::size_t l = 0; l < records_.size(); ++l) {
    choose_units(primaries[l], seconds[l], records_[l]);
    records_[l].count = static_cast<std::uint32_t>(primaries[l].count + seconds[l].count);
  }
}

std::vector<ListRecord> ListWriter::place() {
  records_.assign(segment_.lists.begin(), segment_.lists.end());
  measure();
  std::vector<std::uint32_t> sizes;
  for (const ListRecord& record : records_) sizes.push_back(record.count);
  const ListLayout layout = place_lists(sizes);
  if (segment_.row_shape.primary_entry > 0 && layout.entries > std::uint64_t{1} << 32) {
    throw std::invalid_argument(fmt::format(
        "{} entries are too many for spilled vectors of quantizer '{}'; use sq8, or spill 0",
        layout.entries, segment_.info.quantizer));
  }
  for (std::size_t l = 0; l < records_.size(); ++l) records_[l].first = layout.first[l];
  entries_ = layout.entries;
  return records_;
}

float ListWriter::sine() const {
  return static_cast<float>(std::sqrt(sine2_ / static_cast<double>(segment_.info.n)));
}

float ListWriter::row_tangent() const {
  return static_cast<float>(std::sqrt(tangent2_ / static_cast<double>(segment_.info.n)));
}

// Writes the entries whose places lie in the window. `next` holds the place of each list's next
// entry and moves on.
void ListWriter::fill(const EncodedEntries& entries, std::vector<std::uint64_t>& next,
                      Window& window) {
  const std::size_t plane = plane_bytes(segment_.dim());
  const std::size_t piece = piece_entries();
  std::vector<std::uint8_t> buffer;
  std::size_t held = 0;  // first entry of the signs at hand
  std::span<const std::uint8_t> signs;
  for_each_numbers(entries, piece, [&](std::size_t row, const EncodedNumbers& numbers) {
    if (row % piece == 0) {
      held = row;
      const std::size_t count = std::min(piece, entries.lists.size() - row);
      signs = entries.signs.read(row * plane, count * plane, buffer);
    }
    const std::uint32_t list = entries.lists[row];
    if (list == kNoList) return;
    const std::uint64_t place = next[list]++;
    if (place < window.begin || place >= window.end) return;
    write_entry(signs.data() + (row - held) * plane, numbers, records_[list],
                static_cast<std::uint32_t>(row), segment_.dim(), place - window.begin,
                window.blocks.data());
  });
}

void ListWriter::write_blocks(const ByteSink& sink) {
  const std::size_t bytes = block_bytes(segment_.dim());
  const std::uint64_t most = std::max<std::uint64_t>(piece_bytes_ / bytes, 1) * kBlockEntries;
  for (std::uint64_t begin = 0; begin < entries_; begin += most) {
    Window window = {begin, std::min(begin + most, entries_), {}};
    window.blocks.resize((window.end - begin) / kBlockEntries * bytes);
    std::vector<std::uint64_t> next;
    for (const ListRecord& record : records_) next.push_back(record.first);
    fill(coded_.primaries, next, window);
    fill(coded_.seconds, next, window);
    sink(window.blocks);
  }
}

void ListWriter::write_rows(const ByteSink& sink) {
  const RowShape& shape = segment_.row_shape;
  const std::size_t piece =
      std::max<std::size_t>(piece_bytes_ / (shape.bytes() + sizeof(EncodedNumbers)), 1);
  std::vector<std::uint64_t> next;
  for (const ListRecord& record : records_) next.push_back(record.first);
  std::vector<std::uint8_t> buffer;
  std::span<std::uint8_t> rows;
  for_each_numbers(coded_.primaries, piece, [&](std::size_t row, const EncodedNumbers& numbers) {
    const std::size_t count = std::min(piece, coded_.primaries.lists.size() - row / piece * piece);
    if (row % piece == 0) {
      rows = coded_.rows.edit(row * shape.bytes(), count * shape.bytes(), buffer);
    }
    const std::uint32_t list = coded_.primaries.lists[row];
    std::uint8_t* stored = rows.data() + row % piece * shape.bytes();
    write_row_factors(shape, numbers, records_[list], stored);
    if (shape.primary() > 0) write_primary(shape, {list, next[list]++}, stored);
    if (row % piece + 1 == count && !coded_.rows.in_memory()) sink(rows);
  });
}

}  // namespace obliq

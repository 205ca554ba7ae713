// One pass over the numbers of all entries counts the lists and finds their units; a second writes
// the blocks, a third the rows. The numbers are read in the order of the base from where encoding
// staged them, so memory holds a window of blocks and a piece of rows, whatever the size of the
// base.
#include "index/build/placed_lists.h"

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

PlacedLists::PlacedLists(const BuildPlan& plan, const TrainedParts& parts, EncodedBase encoded)
    : n_(plan.n),
      dim_(plan.dim),
      piece_bytes_(plan.piece_bytes),
      shape_(row_shape_of(plan, *parts.quantizer)),
      encoded_(std::move(encoded)),
      lists_(parts.lists) {
  measure();
  place(parts.quantizer->spec());
}

std::size_t PlacedLists::piece_entries() const {
  const std::size_t bytes = sizeof(EncodedNumbers) + plane_bytes(dim_);
  return std::max<std::size_t>(piece_bytes_ / bytes, 1);
}

// Counts the entries of each list and chooses its units.
void PlacedLists::measure() {
  std::vector<NumberRange> primaries(lists_.size());
  std::vector<NumberRange> seconds(lists_.size());
  for_each_numbers(encoded_.primaries, piece_entries(),
                   [&](std::size_t row, const EncodedNumbers& v) {
                     primaries[encoded_.primaries.lists[row]].add(v);
                     sine2_ += v.sine2;
                     tangent2_ += v.tangent2;
                   });
  for_each_numbers(encoded_.seconds, piece_entries(),
                   [&](std::size_t row, const EncodedNumbers& v) {
                     const std::uint32_t list = encoded_.seconds.lists[row];
                     if (list != kNoList) seconds[list].add(v);
                   });
  for (std::size_t l = 0; l < lists_.size(); ++l) {
    choose_units(primaries[l], seconds[l], lists_[l]);
    lists_[l].count = static_cast<std::uint32_t>(primaries[l].count + seconds[l].count);
  }
}

void PlacedLists::place(const std::string& spec) {
  std::vector<std::uint32_t> sizes;
  for (const ListRecord& record : lists_) sizes.push_back(record.count);
  const ListLayout layout = place_lists(sizes);
  if (shape_.primary_entry > 0 && layout.entries > std::uint64_t{1} << 32) {
    throw std::invalid_argument(fmt::format(
        "{} entries are too many for spilled vectors of quantizer '{}'; use sq8, or spill 0",
        layout.entries, spec));
  }
  for (std::size_t l = 0; l < lists_.size(); ++l) lists_[l].first = layout.first[l];
  entries_ = layout.entries;
}

float PlacedLists::sine() const {
  return static_cast<float>(std::sqrt(sine2_ / static_cast<double>(n_)));
}

float PlacedLists::row_tangent() const {
  return static_cast<float>(std::sqrt(tangent2_ / static_cast<double>(n_)));
}

float PlacedLists::typical_norm() const {
  const double norm = std::sqrt(encoded_.norm2_sum / static_cast<double>(n_));
  return norm > 0 ? static_cast<float>(norm) : 1.0F;
}

std::vector<std::uint64_t> PlacedLists::first_entries() const {
  std::vector<std::uint64_t> first;
  for (const ListRecord& record : lists_) first.push_back(record.first);
  return first;
}

// Writes the entries whose places lie in the window. `next` holds the place of each list's next
// entry and moves on.
void PlacedLists::fill(const EncodedEntries& entries, std::vector<std::uint64_t>& next,
                       Window& window) {
  const std::size_t plane = plane_bytes(dim_);
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
    write_entry(signs.data() + (row - held) * plane, numbers, lists_[list],
                static_cast<std::uint32_t>(row), dim_, place - window.begin, window.blocks.data());
  });
}

void PlacedLists::write_blocks(const ByteSink& sink) {
  const std::size_t bytes = block_bytes(dim_);
  const std::uint64_t most = std::max<std::uint64_t>(piece_bytes_ / bytes, 1) * kBlockEntries;
  for (std::uint64_t begin = 0; begin < entries_; begin += most) {
    Window window = {begin, std::min(begin + most, entries_), {}};
    window.blocks.resize((window.end - begin) / kBlockEntries * bytes);
    std::vector<std::uint64_t> next = first_entries();
    fill(encoded_.primaries, next, window);
    fill(encoded_.seconds, next, window);
    sink(window.blocks);
  }
}

void PlacedLists::write_rows(const ByteSink& sink) {
  const std::size_t piece =
      std::max<std::size_t>(piece_bytes_ / (shape_.bytes() + sizeof(EncodedNumbers)), 1);
  const std::vector<std::uint32_t>& lists = encoded_.primaries.lists;
  std::vector<std::uint64_t> next = first_entries();
  std::vector<std::uint8_t> buffer;
  std::span<std::uint8_t> rows;
  for_each_numbers(encoded_.primaries, piece, [&](std::size_t row, const EncodedNumbers& numbers) {
    const std::size_t count = std::min(piece, lists.size() - row / piece * piece);
    if (row % piece == 0) {
      rows = encoded_.rows.edit(row * shape_.bytes(), count * shape_.bytes(), buffer);
    }
    const std::uint32_t list = lists[row];
    std::uint8_t* stored = rows.data() + row % piece * shape_.bytes();
    write_row_factors(shape_, numbers, lists_[list], stored);
    if (shape_.primary() > 0) write_primary(shape_, {list, next[list]++}, stored);
    if (row % piece + 1 == count && !encoded_.rows.in_memory()) sink(rows);
  });
}

}  // namespace obliq

// Rows of a list lie side by side, so that counts are those of bits in a range of words.
#include "index/filter/row_filter.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "index/segment/row_decoder.h"

namespace obliq {
namespace {

// Calls take(word, bits) for the words that hold rows [begin, end), with ones at these rows.
template <typename Take>
void for_words(std::uint64_t begin, std::uint64_t end, Take take) {
  while (begin < end) {
    const std::uint64_t stop = std::min(end, begin / 64 * 64 + 64);
    const std::uint64_t count = stop - begin;
    const std::uint64_t ones = count == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
    take(begin / 64, ones << begin % 64);
    begin = stop;
  }
}

void list_few(const Segment& segment, AllowedRows& allowed) {
  allowed.few.reserve(allowed.count);
  const auto records = segment.lists.records();
  for (std::uint32_t r = 0; r < records.size(); ++r) {
    if (allowed.in_list[r] == 0) continue;
    const std::uint64_t begin = records[r].first_row;
    for_words(begin, begin + records[r].primaries, [&](std::uint64_t word, std::uint64_t ones) {
      for (std::uint64_t left = allowed.words[word] & ones; left != 0; left &= left - 1) {
        const auto row = 64 * word + static_cast<std::uint64_t>(std::countr_zero(left));
        allowed.few.push_back({static_cast<std::uint32_t>(row), r});
      }
    });
  }
}

}  // namespace

bool RowFilter::are_few() const {
  return std::ranges::all_of(segments,
                             [](const auto& rows) { return rows->few.size() == rows->count; });
}

std::vector<std::uint64_t> words_for(const Segment& segment) {
  return std::vector<std::uint64_t>((segment.info.rows + 63) / 64 + 1);
}

std::vector<std::uint64_t> all_words_for(const Segment& segment) {
  std::vector<std::uint64_t> words = words_for(segment);
  for_words(0, segment.info.rows,
            [&](std::uint64_t word, std::uint64_t ones) { words[word] |= ones; });
  return words;
}

void exclude_row(const Segment& segment, std::uint32_t row, AllowedRows& allowed) {
  allowed.words[row / 64] &= ~(std::uint64_t{1} << row % 64);
  --allowed.in_list[primary_record_of(segment, row)];
  --allowed.count;
  const auto same = std::ranges::lower_bound(allowed.few, row, {}, &AllowedRow::row);
  if (same != allowed.few.end() && same->row == row) allowed.few.erase(same);
}

void exclude_foreign(const Segment& segment, AllowedRows& allowed) {
  for (const ListRecord& record : segment.lists.records()) {
    if (!record.is_foreign()) continue;
    for_words(record.first_row, record.first_row + record.primaries,
              [&](std::uint64_t word, std::uint64_t ones) { allowed.words[word] &= ~ones; });
  }
}

AllowedRows allowed_rows(const Segment& segment, const RowBits* deleted,
                         std::vector<std::uint64_t> words) {
  AllowedRows allowed;
  allowed.words = std::move(words);
  if (deleted != nullptr) {
    deleted->for_each(
        [&](std::uint32_t row) { allowed.words[row / 64] &= ~(std::uint64_t{1} << row % 64); });
  }
  for (const ListRecord& record : segment.lists.records()) {
    std::uint32_t count = 0;
    const std::uint64_t begin = record.first_row;
    for_words(begin, begin + record.primaries, [&](std::uint64_t word, std::uint64_t ones) {
      count += static_cast<std::uint32_t>(std::popcount(allowed.words[word] & ones));
    });
    if (record.is_foreign()) count = 0;
    allowed.in_list.push_back(count);
    allowed.count += count;
  }
  if (AllowedRows::are_few(allowed.count, segment.info.rows)) list_few(segment, allowed);
  return allowed;
}

}  // namespace obliq

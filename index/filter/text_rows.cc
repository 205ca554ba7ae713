// A test of texts becomes one of codes: the dictionary rises, so that what lies between two texts
// is an interval of codes. A list is a few intervals, or a bit for each code. Of keywords the codes
// that pass are found in the stream of all rows' codes, and then the rows that hold them.
//
// A damaged file may hold codes beyond the dictionary and ends of rows that fall: nothing is read
// outside of the arrays.
#include "index/filter/text_rows.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <string_view>
#include <vector>

#include "index/filter/row_words.h"

namespace obliq {
namespace {

constexpr std::size_t kMostIntervals = 4;

/// Codes [begin, end).
struct CodeInterval {
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// Number of the first text at or behind `first` for which before(text) is false.
template <typename Before>
std::size_t partition(const StoredColumn& column, std::size_t first, Before before) {
  std::size_t left = column.texts() - first;
  while (left > 0) {
    const std::size_t half = left / 2;
    if (before(column.text_at(first + half))) {
      first += half + 1;
      left -= half + 1;
    } else {
      left = half;
    }
  }
  return first;
}

CodeInterval between(const StoredColumn& column, const TextTest& test) {
  CodeInterval codes{0, column.texts()};
  if (test.least) {
    codes.begin = partition(column, 0, [&](std::string_view text) {
      return test.with_least ? text < *test.least : text <= *test.least;
    });
  }
  if (test.most) {
    codes.end = partition(column, 0, [&](std::string_view text) {
      return test.with_most ? text <= *test.most : text < *test.most;
    });
  }
  return codes;
}

/// The codes of a list, rising; looks for the fewer texts among the more.
std::vector<std::size_t> codes_of(const StoredColumn& column,
                                  const std::vector<std::string_view>& list) {
  std::vector<std::size_t> codes;
  if (list.size() > column.texts()) {
    for (std::size_t code = 0; code < column.texts(); ++code) {
      if (std::binary_search(list.begin(), list.end(), column.text_at(code))) {
        codes.push_back(code);
      }
    }
    return codes;
  }
  std::size_t code = 0;
  for (const std::string_view wanted : list) {
    code = partition(column, code, [&](std::string_view text) { return text < wanted; });
    if (code == column.texts()) break;
    if (column.text_at(code) == wanted) codes.push_back(code);
  }
  return codes;
}

std::vector<CodeInterval> intervals_of(const std::vector<std::size_t>& codes) {
  std::vector<CodeInterval> intervals;
  for (const std::size_t code : codes) {
    if (!intervals.empty() && intervals.back().end == code) {
      ++intervals.back().end;
    } else {
      intervals.push_back({code, code + 1});
    }
  }
  return intervals;
}

/// Codes of 1, 2 or 4 bytes.
template <typename Code>
class CodeRows {
 public:
  CodeRows(std::span<const std::uint8_t> codes, std::span<std::uint64_t> words)
      : codes_(codes.data()), count_(codes.size() / sizeof(Code)), words_(words) {}

  void add(CodeInterval interval) {
    if (interval.begin >= interval.end) return;
    const auto first = static_cast<Code>(interval.begin);
    const auto span = static_cast<Code>(interval.end - interval.begin - 1);
    add_passing<Code>(codes_, count_, 0, count_, words_,
                      [first, span](Code code) { return static_cast<Code>(code - first) <= span; });
  }

  void add(const std::vector<std::size_t>& codes) {
    std::vector<std::uint8_t> passes(codes.back() + 1);
    for (const std::size_t code : codes) passes[code] = 1;
    const std::uint8_t* const table = passes.data();
    const std::size_t last = codes.back();
    add_passing<Code>(codes_, count_, 0, count_, words_, [table, last](Code code) {
      const auto place = static_cast<std::size_t>(code);
      return static_cast<unsigned>(place <= last) & table[std::min(place, last)];
    });
  }

 private:
  const std::uint8_t* codes_;
  std::size_t count_;
  std::span<std::uint64_t> words_;
};

/// A bit of `words` for each of the first `count` codes that passes.
template <typename Code>
void add_codes(const StoredColumn& column, const TextTest& test, std::size_t count,
               std::span<std::uint64_t> words) {
  CodeRows<Code> rows(column.codes.first(count * sizeof(Code)), words);
  if (!test.list) {
    rows.add(between(column, test));
    return;
  }
  const std::vector<std::size_t> codes = codes_of(column, *test.list);
  const std::vector<CodeInterval> intervals = intervals_of(codes);
  if (intervals.size() > kMostIntervals) {
    rows.add(codes);
    return;
  }
  for (const CodeInterval& interval : intervals) rows.add(interval);
}

void add_codes_of(const StoredColumn& column, const TextTest& test, std::size_t count,
                  std::span<std::uint64_t> words) {
  if (column.code_bytes == 1) add_codes<std::uint8_t>(column, test, count, words);
  if (column.code_bytes == 2) add_codes<std::uint16_t>(column, test, count, words);
  if (column.code_bytes == 4) add_codes<std::uint32_t>(column, test, count, words);
}

/// Adds the rows that hold a code whose bit is set.
void add_holders(std::span<const std::uint32_t> row_ends, std::span<const std::uint64_t> passing,
                 std::span<std::uint64_t> words) {
  std::size_t row = 0;
  for (std::size_t w = 0; w < passing.size(); ++w) {
    for (std::uint64_t left = passing[w]; left != 0;) {
      const std::size_t place = 64 * w + static_cast<std::size_t>(std::countr_zero(left));
      while (row < row_ends.size() && row_ends[row] <= place) ++row;
      if (row == row_ends.size()) return;
      words[row / 64] |= std::uint64_t{1} << row % 64;
      left &= ~rows_mask(w, 0, row_ends[row]);  // what else the row holds
    }
  }
}

}  // namespace

void add_text_rows(const StoredColumn& column, const TextTest& test, std::size_t rows,
                   std::span<std::uint64_t> words) {
  const std::size_t count = column.code_bytes == 0 ? 0 : column.codes.size() / column.code_bytes;
  if (column.spec.type == ColumnType::keyword) {
    add_codes_of(column, test, std::min(count, rows), words);
    return;
  }
  std::vector<std::uint64_t> passing((count + 63) / 64);
  add_codes_of(column, test, count, passing);
  add_holders(column.row_ends.first(std::min(rows, column.row_ends.size())), passing, words);
}

}  // namespace obliq

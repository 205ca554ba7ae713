// The least and the most value of a list tell for all its rows whether they are in a range, outside
// of it, or have to be looked at. Rows to look at are taken together in long stretches: lists are
// shorter than what a stretch costs to begin, so that decided ones only interrupt where they are
// many. A row that is NULL is stored as 0 and may come out either way; who calls takes it out.
#include "index/filter/number_rows.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <type_traits>

#include "index/filter/row_words.h"

namespace obliq {
namespace {

/// Fewer decided rows than these, side by side, are looked at with their neighbours.
constexpr std::size_t kLeastDecided = 256;

enum class Verdict : std::uint8_t { none, all, look };

/// Takes the verdicts of lists in the order of their rows and passes on stretches of them.
template <typename Look>
class Stretches {
 public:
  Stretches(std::span<std::uint64_t> words, Look look) : words_(words), look_(look) {}

  void add(Verdict verdict, std::size_t end) {
    if (verdict != verdict_) {
      close();
      verdict_ = verdict;
    }
    end_ = std::max(end_, end);
  }
  void finish() {
    close();
    if (looked_ < begin_) look_(looked_, begin_);
  }

 private:
  /// [looked_, begin_) is to be looked at, [begin_, end_) has one verdict.
  void close() {
    if (verdict_ != Verdict::look && end_ - begin_ >= kLeastDecided) {
      if (looked_ < begin_) look_(looked_, begin_);
      if (verdict_ == Verdict::all) add_rows(words_, begin_, end_);
      looked_ = end_;
    }
    begin_ = end_;
  }

  std::span<std::uint64_t> words_;
  Look look_;
  Verdict verdict_ = Verdict::look;
  std::size_t looked_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

/// Calls look(begin, end) for the rows that `judge(least, most)` leaves open, and adds those of
/// lists that pass as a whole.
template <typename Number, typename Judge, typename Look>
void by_lists(const Segment& segment, std::span<const Number> ranges,
              std::span<std::uint64_t> words, Judge judge, Look look) {
  const std::size_t rows = segment.info.rows;
  const std::span<const ListRecord> records = segment.lists.records();
  if (ranges.size() != 2 * records.size()) {
    look(0, rows);
    return;
  }
  Stretches stretches(words, look);
  std::size_t end = 0;
  for (std::size_t i = 0; i < records.size(); ++i) {
    end = std::min<std::size_t>(rows, end + records[i].primaries);
    const Number least = ranges[2 * i];
    const Number most = ranges[2 * i + 1];
    stretches.add(least <= most ? judge(least, most) : Verdict::none, end);
  }
  stretches.add(Verdict::look, rows);
  stretches.finish();
}

template <typename Number>
void look_at_range(std::span<const Number> values, NumberRange<Number> range, std::size_t begin,
                   std::size_t end, std::span<std::uint64_t> words) {
  if constexpr (std::is_same_v<Number, double>) {
    add_passing<double>(values.data(), values.size(), begin, end, words, [range](double value) {
      return static_cast<unsigned>(value >= range.least) &
             static_cast<unsigned>(value <= range.most);
    });
  } else {
    const auto least = static_cast<std::uint64_t>(range.least);
    const std::uint64_t span = static_cast<std::uint64_t>(range.most) - least;
    add_passing<std::uint64_t>(values.data(), values.size(), begin, end, words,
                               [=](std::uint64_t value) { return value - least <= span; });
  }
}

/// The bits in front of the table leave few rows, which are looked for in it one by one.
template <typename Number>
void look_at_set(std::span<const Number> values, const NumberSet& set, std::size_t begin,
                 std::size_t end, std::span<std::uint64_t> words) {
  const void* data = values.data();
  if (set.has_all_bits()) {
    add_passing<Number>(data, values.size(), begin, end, words,
                        [&set](Number value) { return set.has_bit(number_bits(value)); });
    return;
  }
  for (std::size_t w = begin / 64; 64 * w < end; ++w) {
    std::uint64_t left = passing_word<Number>(
        data, values.size(), w, [&set](Number value) { return set.may_have(number_bits(value)); });
    for (left &= rows_mask(w, begin, end); left != 0; left &= left - 1) {
      const auto bit = static_cast<std::size_t>(std::countr_zero(left));
      words[w] |= std::uint64_t{set.has(number_bits(values[64 * w + bit]))} << bit;
    }
  }
}

template <typename Number>
void add_range(const Segment& segment, std::span<const Number> values,
               std::span<const Number> list_ranges, NumberRange<Number> range,
               std::span<std::uint64_t> words) {
  by_lists(
      segment, list_ranges, words,
      [range](Number least, Number most) {
        if (least >= range.least && most <= range.most) return Verdict::all;
        return most < range.least || least > range.most ? Verdict::none : Verdict::look;
      },
      [&](std::size_t begin, std::size_t end) {
        look_at_range<Number>(values, range, begin, end, words);
      });
}

template <typename Number>
void add_set(const Segment& segment, std::span<const Number> values,
             std::span<const Number> list_ranges, const NumberTest<Number>& test,
             std::span<std::uint64_t> words) {
  by_lists(
      segment, list_ranges, words,
      [&](Number least, Number most) {
        if (most < test.hull.least || least > test.hull.most) return Verdict::none;
        if (least != most) return Verdict::look;
        return test.set->has(number_bits(least)) ? Verdict::all : Verdict::none;
      },
      [&](std::size_t begin, std::size_t end) {
        look_at_set(values, *test.set, begin, end, words);
      });
}

template <typename Number>
void add_numbers(const Segment& segment, std::span<const Number> values,
                 std::span<const Number> list_ranges, const NumberTest<Number>& test,
                 std::span<std::uint64_t> words) {
  if (test.set) {
    add_set(segment, values, list_ranges, test, words);
    return;
  }
  for (const NumberRange<Number>& range : test.ranges) {
    add_range(segment, values, list_ranges, range, words);
  }
}

}  // namespace

void add_integer_rows(const Segment& segment, const StoredColumn& column,
                      const NumberTest<std::int64_t>& test, std::span<std::uint64_t> words) {
  add_numbers(segment, column.integers, column.integer_ranges, test, words);
}

void add_double_rows(const Segment& segment, const StoredColumn& column,
                     const NumberTest<double>& test, std::span<std::uint64_t> words) {
  add_numbers(segment, column.doubles, column.double_ranges, test, words);
}

}  // namespace obliq

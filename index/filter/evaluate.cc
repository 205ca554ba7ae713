// A test adds the rows that pass it, NULL taken for any value; its negation is the complement; then
// the NULLs are taken out of either. "All of" and "any of" are AND and OR of such sets, and stop at
// the first that leaves no row, or all.
#include <algorithm>
#include <cassert>
#include <cstddef>
#include <vector>

#include "index/filter/bound_filter.h"
#include "index/filter/expression.h"
#include "index/filter/number_rows.h"
#include "index/filter/row_words.h"
#include "index/filter/text_rows.h"

namespace obliq {
namespace {

using Words = std::span<std::uint64_t>;

class Evaluator {
 public:
  explicit Evaluator(const Segment& segment) : segment_(segment), rows_(segment.info.rows) {}

  /// Overwrites all words.
  void run(const BoundCondition& condition, Words words) const {
    if (condition.kind == BoundCondition::Kind::test) {
      run_test(condition, words);
      return;
    }
    const bool is_all = condition.kind == BoundCondition::Kind::all_of;
    run(condition.children.front(), words);
    std::vector<std::uint64_t> other(condition.children.size() > 1 ? words.size() : 0);
    for (std::size_t i = 1; i < condition.children.size(); ++i) {
      if (is_all ? is_empty(words) : is_full(words)) return;
      run(condition.children[i], other);
      for (std::size_t w = 0; w < words.size(); ++w) {
        words[w] = is_all ? words[w] & other[w] : words[w] | other[w];
      }
    }
  }

 private:
  static bool is_empty(Words words) {
    return std::all_of(words.begin(), words.end(), [](std::uint64_t word) { return word == 0; });
  }

  bool is_full(Words words) const {
    for (std::size_t w = 0; w < words.size(); ++w) {
      if (words[w] != rows_mask(w, 0, rows_)) return false;
    }
    return true;
  }

  void run_test(const BoundCondition& condition, Words words) const {
    std::fill(words.begin(), words.end(), 0);
    const StoredColumn* column =
        segment_.columns == nullptr ? nullptr : segment_.columns->find(condition.column);
    const bool asks_null = std::holds_alternative<ValueTest>(condition.test);
    if (column == nullptr) {
      if (asks_null && condition.negated) add_rows(words, 0, rows_);
      return;
    }
    assert(column->spec.type == condition.type);
    if (asks_null) {
      keep_valid(*column, condition.negated, words);
      return;
    }
    add_passing_rows(*column, condition, words);
    for (std::size_t w = 0; w < words.size(); ++w) {
      const std::uint64_t passing = condition.negated ? ~words[w] : words[w];
      words[w] = passing & rows_mask(w, 0, rows_);
      if (!column->valid.empty()) words[w] &= column->valid[w];
    }
  }

  /// The rows that are not NULL, or those that are.
  void keep_valid(const StoredColumn& column, bool is_null, Words words) const {
    for (std::size_t w = 0; w < words.size(); ++w) {
      const std::uint64_t valid = column.valid.empty() ? ~std::uint64_t{0} : column.valid[w];
      words[w] = (is_null ? ~valid : valid) & rows_mask(w, 0, rows_);
    }
  }

  void add_passing_rows(const StoredColumn& column, const BoundCondition& condition,
                        Words words) const {
    const auto& test = condition.test;
    if (const auto* integers = std::get_if<NumberTest<std::int64_t>>(&test)) {
      add_integer_rows(segment_, column, *integers, words);
    } else if (const auto* doubles = std::get_if<NumberTest<double>>(&test)) {
      add_double_rows(segment_, column, *doubles, words);
    } else if (const auto* texts = std::get_if<TextTest>(&test)) {
      add_text_rows(column, *texts, rows_, words);
    } else if (const auto* bools = std::get_if<BoolTest>(&test)) {
      for (std::size_t w = 0; w < words.size(); ++w) {
        if (bools->has_true) words[w] |= column.bits[w];
        if (bools->has_false) words[w] |= ~column.bits[w];
      }
    }
  }

  const Segment& segment_;
  std::size_t rows_;
};

}  // namespace

void evaluate(const BoundFilter& filter, const Segment& segment, std::span<std::uint64_t> words) {
  Evaluator(segment).run(filter.root, words.first((segment.info.rows + 63) / 64));
}

}  // namespace obliq

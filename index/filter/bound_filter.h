// An expression whose columns and values have types: what is evaluated. NOT is gone: it has moved
// down to the tests, where De Morgan's laws put it. Whatever is asked of numbers has become "lies
// in one of these ranges" or "is in this set", exact in the type of the column, and what is asked
// of texts a range of texts or a list.
#pragma once

#include <bit>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "index/filter/number_set.h"
#include "index/filter/syntax.h"
#include "obliq/columns.h"

namespace obliq {

/// Both ends are in it; least > most: nothing is.
template <typename Number>
struct NumberRange {
  Number least = 0;
  Number most = 0;

  bool has(Number number) const { return number >= least && number <= most; }
};

/// Some ranges, which are apart and rise, or a set.
template <typename Number>
struct NumberTest {
  std::vector<NumberRange<Number>> ranges;
  std::optional<NumberSet> set;  ///< of doubles: their bits, of 0 for -0 (number_bits)
  NumberRange<Number> hull;      ///< of the set
};

/// What a set holds for a number.
inline std::int64_t number_bits(std::int64_t number) { return number; }
inline std::int64_t number_bits(double number) {
  return std::bit_cast<std::int64_t>(number + 0.0);  // -0 + 0 = 0
}

struct BoolTest {
  bool has_true = false;  ///< whether true passes
  bool has_false = false;
};

/// Texts by their bytes, between two ends; or a list. The texts are those of the ParsedFilter.
struct TextTest {
  std::optional<std::string_view> least;
  std::optional<std::string_view> most;
  bool with_least = true;  ///< whether the ends are in it
  bool with_most = true;
  std::optional<std::vector<std::string_view>> list;  ///< rising, each once
};

/// Whether it is not NULL.
struct ValueTest {};

struct BoundCondition {
  enum class Kind : std::uint8_t { all_of, any_of, test };

  Kind kind = Kind::test;
  std::vector<BoundCondition> children;
  std::string column;
  ColumnType type = ColumnType::int64;
  bool negated = false;  ///< a row passes that is not NULL and fails the test
  std::variant<ValueTest, NumberTest<std::int64_t>, NumberTest<double>, BoolTest, TextTest> test;
};

class BoundFilter {
 public:
  std::shared_ptr<const ParsedFilter> parsed;
  BoundCondition root;
};

}  // namespace obliq

// Random expressions over a table of cells, what they mean by the book, and their text. Nothing
// here knows how filters work: an expression is judged row by row with three values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/random.h"
#include "tests/index/filter/tables.h"

namespace obliq {

struct RandomExpression {
  enum class Kind { all_of, any_of, negation, truth, compare, in, between, null };

  Kind kind = Kind::null;
  std::vector<RandomExpression> children;
  std::size_t column = 0;
  std::string comparison = "=";
  bool negated = false;  ///< not in, not between, is not null
  bool is_bound_list = false;
  std::vector<Cell> values;
};

inline constexpr const char* kTextPool[] = {"",         "a", "ab", "b",  "it's",
                                            "\xC3\xA9", "z", "B",  "aa", "\xF0\x9F\x98\x80"};

inline bool chance(Random& random, double share) { return random.uniform() < share; }
inline std::size_t below(Random& random, std::size_t n) {
  return static_cast<std::size_t>(random.next() % n);
}

inline Cell random_integer(Random& random) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t kRare[] = {kMost,           -kMost - 1, kMost - 1, (1LL << 53) + 1,
                                    (1LL << 53) - 1, 1LL << 53,  1000,      -1000};
  if (chance(random, 0.2)) return kRare[below(random, std::size(kRare))];
  return static_cast<std::int64_t>(below(random, 12)) - 4;
}

inline Cell random_double(Random& random) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  constexpr double kRare[] = {-0.0, 0x1p53, 0x1p63, -0x1p63, 1e300, kInfinity, -kInfinity, 5e-324};
  if (chance(random, 0.2)) return kRare[below(random, std::size(kRare))];
  return static_cast<double>(below(random, 24)) / 2 - 4;
}

inline Cell random_text(Random& random) {
  return std::string(kTextPool[below(random, std::size(kTextPool))]);
}

/// A value that a column may hold.
inline Cell random_cell(Random& random, ColumnType type) {
  switch (type) {
    case ColumnType::int64:
    case ColumnType::timestamp:
      return random_integer(random);
    case ColumnType::float64:
      return random_double(random);
    case ColumnType::boolean:
      return chance(random, 0.5);
    case ColumnType::keywords: {
      std::set<std::string> texts;
      for (std::size_t i = below(random, 4); i > 0; --i) {
        texts.insert(std::get<std::string>(random_text(random)));
      }
      return std::vector<std::string>(texts.begin(), texts.end());
    }
    default:
      return random_text(random);
  }
}

/// One that a column may be compared with.
inline Cell random_value(Random& random, ColumnType type) {
  if (type == ColumnType::keywords) return random_text(random);
  const bool is_number = type == ColumnType::int64 || type == ColumnType::float64;
  if (is_number) return chance(random, 0.5) ? random_integer(random) : random_double(random);
  return random_cell(random, type);
}

inline RandomExpression random_question(Random& random, const ColumnSchema& schema) {
  using Kind = RandomExpression::Kind;
  constexpr const char* kComparisons[] = {"=", "!=", "<>", "<", "<=", ">", ">="};
  RandomExpression made;
  made.column = below(random, schema.size());
  made.negated = chance(random, 0.5);
  const ColumnType type = schema[made.column].type;
  if (type == ColumnType::bytes || chance(random, 0.1)) return made;
  const bool is_bool = type == ColumnType::boolean;
  const std::size_t which = below(random, 10);
  if (is_bool && which < 3) {
    made.kind = Kind::truth;
  } else if (which < 6 || (is_bool && which < 8)) {
    made.kind = Kind::compare;
    made.comparison = kComparisons[below(random, is_bool ? 3 : std::size(kComparisons))];
    made.values.push_back(random_value(random, type));
  } else if (which < 8 && !is_bool) {
    made.kind = Kind::between;
    for (int i = 0; i < 2; ++i) made.values.push_back(random_value(random, type));
  } else {
    made.kind = Kind::in;
    made.is_bound_list = !is_bool && chance(random, 0.4);
    const std::size_t count = 1 + below(random, chance(random, 0.3) ? 30 : 4);
    while (made.values.size() < count) {
      Cell value = random_value(random, type);
      const bool fits =
          !made.is_bound_list || made.values.empty() || value.index() == made.values[0].index();
      if (fits) made.values.push_back(std::move(value));
    }
  }
  return made;
}

inline RandomExpression random_expression(Random& random, const ColumnSchema& schema, int depth) {
  using Kind = RandomExpression::Kind;
  if (depth == 0 || chance(random, 0.3)) return random_question(random, schema);
  RandomExpression made;
  const std::size_t which = below(random, 3);
  made.kind = which == 0 ? Kind::all_of : which == 1 ? Kind::any_of : Kind::negation;
  const std::size_t count = made.kind == Kind::negation ? 1 : 2 + below(random, 3);
  for (std::size_t i = 0; i < count; ++i) {
    made.children.push_back(random_expression(random, schema, depth - 1));
  }
  return made;
}

/// Whether one value that is not NULL compares so with another. A long double holds any int64 and
/// any double.
inline bool compares(const Cell& a, const std::string& comparison, const Cell& b) {
  const auto order = [&](const auto& x, const auto& y) {
    if (comparison == "=") return x == y;
    if (comparison == "<") return x < y;
    if (comparison == "<=") return x <= y;
    if (comparison == ">") return x > y;
    return x >= y;
  };
  if (a.index() == 4) return order(std::get<std::string>(a), std::get<std::string>(b));
  const auto number = [](const Cell& cell) -> long double {
    if (const bool* flag = std::get_if<bool>(&cell)) return *flag ? 1 : 0;
    if (const auto* integer = std::get_if<std::int64_t>(&cell)) return *integer;
    return std::get<double>(cell);
  };
  return order(number(a), number(b));
}

/// A question about one value that is not NULL, its negation left out.
inline bool asks_true(const RandomExpression& question, const Cell& value) {
  using Kind = RandomExpression::Kind;
  if (question.kind == Kind::truth) return std::get<bool>(value);
  if (question.kind == Kind::between) {
    return compares(value, ">=", question.values[0]) && compares(value, "<=", question.values[1]);
  }
  if (question.kind == Kind::in) {
    return std::any_of(question.values.begin(), question.values.end(),
                       [&](const Cell& one) { return compares(value, "=", one); });
  }
  const bool differs = question.comparison == "!=" || question.comparison == "<>";
  return compares(value, differs ? "=" : question.comparison, question.values[0]);
}

/// Nothing: NULL.
inline std::optional<bool> judge(const RandomExpression& one, const CellTable& table,
                                 std::size_t row) {
  using Kind = RandomExpression::Kind;
  if (one.kind == Kind::negation) {
    const auto inner = judge(one.children[0], table, row);
    return inner ? std::optional(!*inner) : std::nullopt;
  }
  if (one.kind == Kind::all_of || one.kind == Kind::any_of) {
    const bool decisive = one.kind == Kind::any_of;
    std::optional<bool> all = !decisive;
    for (const RandomExpression& child : one.children) {
      const auto value = judge(child, table, row);
      if (value == decisive) return decisive;
      if (!value) all = std::nullopt;
    }
    return all;
  }
  const Cell& cell = table.columns[one.column][row];
  if (one.kind == Kind::null) return (cell.index() == 0) != one.negated;
  if (cell.index() == 0) return std::nullopt;
  bool holds = false;
  if (const auto* texts = std::get_if<std::vector<std::string>>(&cell)) {
    for (const std::string& text : *texts) holds = holds || asks_true(one, Cell(text));
  } else {
    holds = asks_true(one, cell);
  }
  const bool is_negated = one.kind == Kind::compare
                              ? one.comparison == "!=" || one.comparison == "<>"
                              : one.kind != Kind::truth && one.negated;
  return holds != is_negated;
}

}  // namespace obliq

// 10,000 random expressions over random tables, against what they mean by the book
// (random_expressions.h).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "tests/index/filter/random_expressions.h"

namespace obliq {
namespace {

constexpr std::size_t kTables = 250;
constexpr std::size_t kExpressions = 40;  // of each table

/// Writes an expression with spelling, spaces and bound values by chance.
class Writer {
 public:
  Writer(Random& random, const ColumnSchema& schema) : random_(random), schema_(schema) {}

  std::string write(const RandomExpression& one) {
    using Kind = RandomExpression::Kind;
    if (one.kind == Kind::negation) return word("not") + " " + enclosed(one.children[0]);
    if (one.kind == Kind::all_of || one.kind == Kind::any_of) {
      std::string all;
      for (const RandomExpression& child : one.children) {
        if (!all.empty()) all += " " + word(one.kind == Kind::all_of ? "and" : "or") + " ";
        const bool binds = one.kind == Kind::any_of && child.kind == Kind::all_of;
        all += binds && chance(random_, 0.5) ? write(child) : enclosed(child);
      }
      return all;
    }
    return question(one);
  }
  const std::vector<FilterValue>& params() const { return params_; }

 private:
  std::string enclosed(const RandomExpression& one) {
    using Kind = RandomExpression::Kind;
    const bool needs = one.kind == Kind::all_of || one.kind == Kind::any_of;
    const std::string inner = write(one);
    return needs || chance(random_, 0.1) ? "(" + inner + ")" : inner;
  }

  std::string word(std::string text) {
    for (char& letter : text) {
      if (chance(random_, 0.2)) letter = static_cast<char>(letter - 'a' + 'A');
    }
    return text;
  }

  std::string name(std::size_t column) {
    const std::string& name = schema_[column].name;
    return chance(random_, 0.2) ? '"' + name + '"' : name;
  }

  static std::string literal(const Cell& cell) {
    if (const bool* flag = std::get_if<bool>(&cell)) return *flag ? "true" : "false";
    if (const auto* integer = std::get_if<std::int64_t>(&cell)) return std::to_string(*integer);
    if (const auto* number = std::get_if<double>(&cell)) return fmt::format("{:.17e}", *number);
    std::string text = "'";
    for (const char letter : std::get<std::string>(cell)) {
      text += letter;
      if (letter == '\'') text += letter;
    }
    return text + "'";
  }

  std::string value(const Cell& cell) {
    const auto* number = std::get_if<double>(&cell);
    const bool must_bind =
        number != nullptr && (std::isinf(*number) || std::fabs(*number) < 1e-300);
    if (!must_bind && chance(random_, 0.7)) return literal(cell);
    std::visit(
        [&](const auto& one) {
          using Value = std::decay_t<decltype(one)>;
          if constexpr (!std::is_same_v<Value, std::monostate> &&
                        !std::is_same_v<Value, std::vector<std::string>>) {
            params_.emplace_back(one);
          }
        },
        cell);
    return "?";
  }

  template <typename Value>
  void bind_list(const std::vector<Cell>& cells) {
    std::vector<Value> list;
    for (const Cell& cell : cells) list.push_back(std::get<Value>(cell));
    params_.emplace_back(std::move(list));
  }

  std::string list(const RandomExpression& one) {
    if (one.is_bound_list) {
      if (one.values[0].index() == 2) bind_list<std::int64_t>(one.values);
      if (one.values[0].index() == 3) bind_list<double>(one.values);
      if (one.values[0].index() == 4) bind_list<std::string>(one.values);
      return "?";
    }
    std::string all;
    for (const Cell& cell : one.values) all += (all.empty() ? "(" : ", ") + value(cell);
    return all + ")";
  }

  std::string question(const RandomExpression& one) {
    using Kind = RandomExpression::Kind;
    const std::string negation = one.negated ? word("not") + " " : "";
    if (one.kind == Kind::null) {
      return name(one.column) + " " + word("is") + " " + negation + word("null");
    }
    if (one.kind == Kind::truth) return name(one.column);
    if (one.kind == Kind::in) {
      return name(one.column) + "\n" + negation + word("in") + list(one);
    }
    if (one.kind == Kind::between) {
      const std::string least = value(one.values[0]);
      return name(one.column) + " " + negation + word("between") + " " + least + " " + word("and") +
             " " + value(one.values[1]);
    }
    if (chance(random_, 0.2)) {
      std::string swapped = one.comparison;
      if (swapped[0] == '<' && swapped != "<>") {
        swapped[0] = '>';
      } else if (swapped[0] == '>') {
        swapped[0] = '<';
      }
      return value(one.values[0]) + swapped + name(one.column);
    }
    return name(one.column) + one.comparison + value(one.values[0]);
  }

  Random& random_;
  const ColumnSchema& schema_;
  std::vector<FilterValue> params_;
};

CellTable random_table(Random& random) {
  constexpr ColumnType kTypes[] = {ColumnType::int64,    ColumnType::float64,   ColumnType::boolean,
                                   ColumnType::keywords, ColumnType::timestamp, ColumnType::keyword,
                                   ColumnType::bytes};
  const std::size_t rows = below(random, chance(random, 0.2) ? 3000 : 200);
  CellTable table;
  for (std::size_t i = 0; i < std::size(kTypes); ++i) {
    table.schema.push_back({fmt::format("c{}", i), kTypes[i]});
    std::vector<Cell>& cells = table.columns.emplace_back(rows);
    const double nulls = chance(random, 0.3) ? 0 : random.uniform() / 2;
    // Lists whose values are alike, so that their ranges decide.
    const bool is_clustered = chance(random, 0.5);
    Cell last = random_cell(random, kTypes[i]);
    for (Cell& cell : cells) {
      if (!is_clustered || chance(random, 0.002)) last = random_cell(random, kTypes[i]);
      if (!chance(random, nulls)) cell = last;
    }
  }
  return table;
}

StoredOptions random_options(Random& random, std::size_t rows) {
  StoredOptions options;
  options.with_ranges = chance(random, 0.8);
  options.least_code_bytes = 1U << below(random, 3);
  const std::size_t most = chance(random, 0.5) ? 20 : 1000;
  for (std::size_t left = rows; left > 0;) {
    const std::size_t count = std::min(left, below(random, most));
    options.list_rows.push_back(static_cast<std::uint32_t>(count));
    left -= count;
  }
  return options;
}

TEST(RandomFilters, pass_the_rows_that_they_are_true_for) {
  Random random(18);
  std::size_t passing = 0;
  std::size_t all = 0;
  for (std::size_t t = 0; t < kTables; ++t) {
    const CellTable table = random_table(random);
    const StoredTable stored(table, random_options(random, table.rows()));
    for (std::size_t e = 0; e < kExpressions; ++e) {
      const RandomExpression expression =
          random_expression(random, table.schema, static_cast<int>(below(random, 5)));
      Writer writer(random, table.schema);
      const std::string text = writer.write(expression);
      std::vector<std::uint64_t> expected((table.rows() + 63) / 64);
      for (std::size_t row = 0; row < table.rows(); ++row) {
        if (judge(expression, table, row) != true) continue;
        expected[row / 64] |= std::uint64_t{1} << row % 64;
        ++passing;
      }
      all += table.rows();
      ASSERT_EQ(passing_words(text, writer.params(), table.schema, stored.segment()), expected)
          << "table " << t << ", expression " << e << ": " << text;
    }
  }
  // Neither nearly all nor nearly none: the expressions tell rows apart.
  EXPECT_GT(passing, all / 5);
  EXPECT_LT(passing, 4 * all / 5);
}

}  // namespace
}  // namespace obliq

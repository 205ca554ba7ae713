// An expression as it was written: the tree that the grammar (grammar.h) builds, and bind_filter
// reads. Every part knows its place in the text, so that a fault found later still points at it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace obliq {

enum class Comparison : std::uint8_t {
  equal,
  not_equal,
  less,
  less_equal,
  greater,
  greater_equal,
};

/// A value that stands in the text or is bound to a `?`; the vectors are whole lists of an `in ?`.
struct Literal {
  std::variant<std::monostate, bool, std::int64_t, double, std::string, std::vector<std::int64_t>,
               std::vector<double>, std::vector<std::string>>
      value;                  ///< monostate: NULL
  std::size_t place = 0;      ///< byte of the text where it begins
  bool is_bound = false;      ///< by a `?`
  bool is_timestamp = false;  ///< timestamp '...', and the value its microseconds
};

/// A question about one column.
struct Predicate {
  enum class Kind : std::uint8_t {
    truth,    ///< column
    compare,  ///< column op values[0]
    in,       ///< column [not] in values, or in the list values[0]
    between,  ///< column [not] between values[0] and values[1]
    null,     ///< column is [not] null
  };

  Kind kind = Kind::truth;
  Comparison comparison = Comparison::equal;
  bool negated = false;
  std::string column;
  std::size_t place = 0;  ///< of the column
  std::vector<Literal> values;
};

struct Condition {
  enum class Kind : std::uint8_t { all_of, any_of, negation, predicate };

  Kind kind = Kind::predicate;
  std::vector<Condition> children;
  Predicate predicate;
};

class ParsedFilter {
 public:
  std::string text;
  Condition root;
};

}  // namespace obliq

// Filters: which vectors may be answers of a search. A search with a filter finds k answers
// whenever k vectors pass it, and each answer does.
//
// An expression is what follows WHERE in SQL:
//
//     year >= 2020 and lang in ('en', 'de') and not (price between 3 and 5) and title is not null
//
// Comparisons are = != <> < <= > >=, in (...), between a and b, is null; they are joined by and,
// or, not and parentheses. A text stands in single quotes, '' in it for one of them; a name that is
// no word in double quotes. A timestamp is a text of ISO 8601. A comparison with a keywords column
// asks whether one of its texts satisfies it, != and not in whether none equals. NULL is as in SQL:
// what is compared with it is neither true nor false, and only what is true passes. `?` stands for
// a value that is bound: a text of users belongs there, never in the expression.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "obliq/columns.h"
#include "obliq/export.h"

namespace obliq {

/// A value for a `?`. Vectors stand for the whole list of an `in ?`. A timestamp is a text of ISO
/// 8601 or an integer, microseconds since 1970.
using FilterValue = std::variant<bool, std::int64_t, double, std::string, std::vector<std::int64_t>,
                                 std::vector<double>, std::vector<std::string>>;

/// What may be an answer. Immutable; a copy shares it, and what an index worked out for it: which
/// of its vectors pass. That is kept for the index, or the state of a collection, that it was used
/// with last. Use it from any number of threads.
class OBLIQ_API Filter {
 public:
  /// The vectors for which the expression is true. Throws std::invalid_argument with the place in
  /// the text, as a line with a caret below it, where it is no expression, is nested deeper than 64
  /// or longer than 65,536 bytes, or the number of values is not that of its `?`. Names and types
  /// are checked when it is used.
  static Filter where(std::string_view expression, std::vector<FilterValue> params = {});
  /// The vectors of these ids, or all others. Ids need not be there.
  static Filter allow(std::span<const std::int64_t> ids);
  static Filter deny(std::span<const std::int64_t> ids);
  /// The same of a collection whose ids are strings.
  static Filter allow_keys(std::span<const std::string_view> keys);
  static Filter deny_keys(std::span<const std::string_view> keys);
  /// Vector i where allowed[i] is not 0: for an index whose ids are positions. Throws on use where
  /// the number is not that of its vectors.
  static Filter positions(std::span<const std::uint8_t> allowed);
  /// The vectors for whose ids it returns true. Called once for each vector, by one thread; not
  /// for a collection whose ids are strings. It must not use this filter itself.
  static Filter callback(std::function<bool(std::int64_t)> allows);
  /// What passes all of them.
  static Filter all_of(std::span<const Filter> filters);

 private:
  friend struct FilterAccess;
  struct Impl;
  explicit Filter(std::shared_ptr<const Impl> impl);
  std::shared_ptr<const Impl> impl_;
};

}  // namespace obliq

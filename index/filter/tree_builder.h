// What the grammar tells of the parts of an expression, in the order of the text, becomes a tree
// here; and the checks that need no column: values that are none, NULL compared, numbers of `?`.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "index/filter/syntax.h"
#include "obliq/filter.h"

namespace obliq {

/// What the grammar looks for where it does not find it.
enum class Expected : std::uint8_t {
  condition,
  comparison,
  value,
  in_or_between,
  list,
  comma_or_close,
  and_of_between,
  null_or_not_null,
  close,
  end,
  close_of_text,
  close_of_name,
};

/// Places are bytes of the text. Each call throws std::invalid_argument with the place where what
/// it is told cannot be.
class TreeBuilder {
 public:
  TreeBuilder(const std::string& text, std::vector<FilterValue> params)
      : text_(text), params_(std::move(params)) {}

  std::size_t place_of(const char* at) const { return static_cast<std::size_t>(at - text_.data()); }
  [[noreturn]] void fail(Expected expected, std::size_t place) const;

  void add_column(std::string name, std::size_t place);
  void add_number(std::string_view word, std::size_t place);
  void add_text(std::string text, std::size_t place);
  void add_bool(bool value, std::size_t place) { add_literal({.value = value, .place = place}); }
  void add_null(std::size_t place) { add_literal({.value = {}, .place = place}); }
  void add_param(std::size_t place);
  void next_is_timestamp(std::size_t place) { timestamp_ = place; }
  void set_comparison(Comparison comparison) { comparison_ = comparison; }
  void set_negated() { negated_ = true; }

  /// The end of a question, whose operands were added.
  void end_truth(std::size_t end);
  void end_compare();
  void end_in();
  void end_in_param();
  void end_between();
  void end_null();

  void enter(std::size_t place);  ///< not, or an open parenthesis
  void leave() { --depth_; }
  void negate();
  void begin_group() { groups_.push_back(conditions_.size()); }
  void end_group(Condition::Kind kind);

  /// The whole, once the text is read.
  Condition finish();

 private:
  struct Operand {
    std::optional<std::string> column;
    Literal literal;
    std::size_t place = 0;
  };

  [[noreturn]] void refuse(std::size_t place, const std::string& message) const;
  void add_literal(Literal literal);
  void check_param(const FilterValue& value, std::size_t place) const;
  std::string found_at(std::size_t place) const;
  void end_question(Predicate::Kind kind);
  Literal take_value(Operand& operand) const;
  void require_column(const char* word) const;
  void orient();

  const std::string& text_;
  std::vector<FilterValue> params_;
  std::vector<std::size_t> param_places_;
  std::optional<std::size_t> timestamp_;  // of the word before a text
  std::vector<Operand> operands_;         // of the question that is being read
  Comparison comparison_ = Comparison::equal;
  bool negated_ = false;
  std::size_t bare_end_ = 0;  // of the last question, where it was a column alone
  std::vector<Condition> conditions_;
  std::vector<std::size_t> groups_;
  std::size_t depth_ = 0;
};

}  // namespace obliq

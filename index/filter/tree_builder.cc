// The operands of a question are kept until its end tells which kind it is; then one of them must
// be its column, and the others become its values. Finished questions and groups lie on a stack, of
// which a group takes what came since it began.
#include "index/filter/tree_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>
#include <system_error>
#include <type_traits>

#include "index/filter/filter_fault.h"
#include "index/filter/timestamp.h"

namespace obliq {
namespace {

constexpr std::size_t kDeepest = 64;
constexpr std::size_t kMostListed = 1'000'000;

const char* name_of(Expected expected) {
  switch (expected) {
    case Expected::condition:
      return "a condition";
    case Expected::comparison:
      return "a comparison";
    case Expected::value:
      return "a value";
    case Expected::in_or_between:
      return "'in' or 'between'";
    case Expected::list:
      return "'(' or '?'";
    case Expected::comma_or_close:
      return "',' or ')'";
    case Expected::and_of_between:
      return "the 'and' of between";
    case Expected::null_or_not_null:
      return "'null' or 'not null'";
    case Expected::close:
      return "'and', 'or' or ')'";
    default:
      return "'and', 'or' or the end";
  }
}

Comparison swapped(Comparison comparison) {
  switch (comparison) {
    case Comparison::less:
      return Comparison::greater;
    case Comparison::less_equal:
      return Comparison::greater_equal;
    case Comparison::greater:
      return Comparison::less;
    case Comparison::greater_equal:
      return Comparison::less_equal;
    default:
      return comparison;
  }
}

bool is_word_character(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.';
}

bool is_list(const Literal& literal) { return literal.value.index() > 4; }

bool has_nan(const FilterValue& value) {
  if (const auto* one = std::get_if<double>(&value)) return std::isnan(*one);
  const auto* list = std::get_if<std::vector<double>>(&value);
  return list != nullptr &&
         std::any_of(list->begin(), list->end(), [](double one) { return std::isnan(one); });
}

std::size_t values_in(const FilterValue& value) {
  return std::visit(
      [](const auto& one) -> std::size_t {
        using Value = std::decay_t<decltype(one)>;
        if constexpr (std::is_arithmetic_v<Value> || std::is_same_v<Value, std::string>) {
          return 1;
        } else {
          return one.size();
        }
      },
      value);
}

}  // namespace

void TreeBuilder::refuse(std::size_t place, const std::string& message) const {
  refuse_filter(text_, place, message);
}

std::string TreeBuilder::found_at(std::size_t place) const {
  if (place >= text_.size()) return "the end";
  std::size_t end = place;
  while (end < text_.size() && is_word_character(text_[end])) ++end;
  if (end == place) {  // one character, of up to four bytes
    ++end;
    while (end < text_.size() && (text_[end] & 0xC0) == 0x80) ++end;
  }
  return quoted(std::string_view(text_).substr(place, end - place));
}

void TreeBuilder::fail(Expected expected, std::size_t place) const {
  if (expected == Expected::close_of_text) refuse(place, "the text has no closing quote");
  if (expected == Expected::close_of_name) refuse(place, "the name has no closing double quote");
  const bool may_compare =
      (expected == Expected::close || expected == Expected::end) && bare_end_ == place && place > 0;
  std::string hint;
  const std::string_view left = std::string_view(text_).substr(place);
  if (left.starts_with("=")) hint = "; equality is written '='";
  if (left.starts_with("&&")) hint = "; write 'and'";
  if (left.starts_with("||")) hint = "; write 'or'";
  if (left.starts_with("!")) hint = "; write 'not'";
  refuse(place, fmt::format("expected {}{}, found {}{}", may_compare ? "a comparison, " : "",
                            name_of(expected), found_at(place), hint));
}

void TreeBuilder::add_column(std::string name, std::size_t place) {
  if (name.empty()) refuse(place, "the name is empty");
  operands_.push_back({.column = std::move(name), .literal = {}, .place = place});
}

void TreeBuilder::add_literal(Literal literal) {
  const std::size_t place = literal.place;
  operands_.push_back({.column = std::nullopt, .literal = std::move(literal), .place = place});
}

void TreeBuilder::add_number(std::string_view word, std::size_t place) {
  std::string_view unsigned_word = word;
  if (word[0] == '+' || word[0] == '-') unsigned_word.remove_prefix(1);
  const char* const begin = word[0] == '+' ? unsigned_word.data() : word.data();
  const char* const end = word.data() + word.size();
  const bool is_whole = unsigned_word.find_first_not_of("0123456789") == std::string_view::npos;
  std::int64_t whole = 0;
  double number = 0;
  const std::from_chars_result result =
      is_whole ? std::from_chars(begin, end, whole) : std::from_chars(begin, end, number);
  if (result.ec == std::errc::result_out_of_range && result.ptr == end) {
    refuse(place, fmt::format("{} is out of the range of {}", quoted(word),
                              is_whole ? "int64" : "double"));
  }
  if (result.ec != std::errc() || result.ptr != end || !std::isfinite(number)) {
    refuse(place, fmt::format("{} is no number", quoted(word)));
  }
  if (is_whole) {
    add_literal({.value = whole, .place = place});
  } else {
    add_literal({.value = number, .place = place});
  }
}

void TreeBuilder::add_text(std::string text, std::size_t place) {
  if (!timestamp_) {
    add_literal({.value = std::move(text), .place = place});
    return;
  }
  const auto time = parse_timestamp(text);
  if (!time) {
    refuse(place, quoted(text) + " is no time of ISO 8601 such as '2024-05-31T12:00:00Z'");
  }
  add_literal({.value = *time, .place = *timestamp_, .is_timestamp = true});
  timestamp_.reset();
}

void TreeBuilder::check_param(const FilterValue& value, std::size_t place) const {
  const std::size_t number = param_places_.size();
  if (has_nan(value)) refuse(place, fmt::format("value {} is NaN, which equals nothing", number));
  const std::size_t count = values_in(value);
  if (count > kMostListed) {
    refuse(place, fmt::format("the list of value {} has {} entries, at most {} can be", number,
                              count, kMostListed));
  }
}

void TreeBuilder::add_param(std::size_t place) {
  param_places_.push_back(place);
  Literal literal{.value = {}, .place = place, .is_bound = true};
  if (param_places_.size() > params_.size()) {  // refused by finish; till then anything serves
    literal.value = std::int64_t{0};
  } else {
    FilterValue& value = params_[param_places_.size() - 1];
    check_param(value, place);
    std::visit([&](auto& one) { literal.value = std::move(one); }, value);
  }
  add_literal(std::move(literal));
}

/// Of an operand that must be a value.
Literal TreeBuilder::take_value(Operand& operand) const {
  if (operand.column) {
    const std::string name = quoted(*operand.column);
    const bool is_quoted = text_[operand.place] == '"';
    refuse(operand.place,
           "expected a value, found the column " + name +
               (is_quoted ? "; a text stands in single quotes" : "; a text would stand in quotes"));
  }
  if (operand.literal.value.index() == 0) {
    refuse(operand.place, "nothing is equal to null, nor less or greater; write 'is null'");
  }
  return std::move(operand.literal);
}

/// Of the first operand.
void TreeBuilder::require_column(const char* word) const {
  if (operands_[0].column) return;
  refuse(operands_[0].place, fmt::format("expected a column before '{}'", word));
}

void TreeBuilder::end_question(Predicate::Kind kind) {
  Predicate predicate{.kind = kind,
                      .comparison = comparison_,
                      .negated = negated_,
                      .column = std::move(*operands_[0].column),
                      .place = operands_[0].place,
                      .values = {}};
  predicate.values.reserve(operands_.size() - 1);
  for (std::size_t i = 1; i < operands_.size(); ++i) {
    predicate.values.push_back(take_value(operands_[i]));
  }
  conditions_.push_back(
      {.kind = Condition::Kind::predicate, .children = {}, .predicate = std::move(predicate)});
  operands_.clear();
  negated_ = false;
}

void TreeBuilder::end_truth(std::size_t end) {
  if (!operands_[0].column) fail(Expected::comparison, end);
  end_question(Predicate::Kind::truth);
  bare_end_ = end;
}

void TreeBuilder::end_compare() {
  if (!operands_[0].column && !operands_[1].column) {
    refuse(operands_[0].place, "a comparison needs a column");
  }
  if (!operands_[0].column) {
    std::swap(operands_[0], operands_[1]);
    comparison_ = swapped(comparison_);
  }
  const Literal& value = operands_[1].literal;
  if (!operands_[1].column && value.value.index() == 0) {
    const bool differs = comparison_ == Comparison::not_equal;
    refuse(value.place, differs ? "nothing differs from null; write 'is not null'"
                                : "nothing is equal to null, nor less or greater; "
                                  "write 'is null'");
  }
  if (is_list(value)) {
    refuse(value.place, "a list of values is compared by 'in ?'");
  }
  end_question(Predicate::Kind::compare);
}

void TreeBuilder::end_in() {
  require_column("in");
  for (const Operand& operand : operands_) {
    if (!operand.column && is_list(operand.literal)) {
      refuse(operand.place, "a list of values stands alone, as in 'in ?'");
    }
  }
  end_question(Predicate::Kind::in);
}

void TreeBuilder::end_in_param() {
  require_column("in");
  const bool has_value = param_places_.size() <= params_.size();
  if (has_value && !is_list(operands_[1].literal)) {
    refuse(operands_[1].place, "'in ?' takes a list of values; write 'in (?)' for one");
  }
  end_question(Predicate::Kind::in);
}

void TreeBuilder::end_between() {
  require_column("between");
  for (const Operand& operand : operands_) {
    if (!operand.column && is_list(operand.literal)) {
      refuse(operand.place, "a list of values is compared by 'in ?'");
    }
  }
  end_question(Predicate::Kind::between);
}

void TreeBuilder::end_null() {
  require_column("is");
  end_question(Predicate::Kind::null);
}

void TreeBuilder::enter(std::size_t place) {
  if (++depth_ > kDeepest) {
    refuse(place, fmt::format("nested deeper than {} of 'not' and parentheses", kDeepest));
  }
}

void TreeBuilder::negate() {
  Condition inner = std::move(conditions_.back());
  conditions_.pop_back();
  Condition outer{.kind = Condition::Kind::negation, .children = {}, .predicate = {}};
  outer.children.push_back(std::move(inner));
  conditions_.push_back(std::move(outer));
}

void TreeBuilder::end_group(Condition::Kind kind) {
  const auto first = conditions_.begin() + static_cast<std::ptrdiff_t>(groups_.back());
  groups_.pop_back();
  if (conditions_.end() - first < 2) return;
  Condition group{.kind = kind, .children = {}, .predicate = {}};
  group.children.assign(std::move_iterator(first), std::move_iterator(conditions_.end()));
  conditions_.erase(first, conditions_.end());
  conditions_.push_back(std::move(group));
}

Condition TreeBuilder::finish() {
  const std::size_t wanted = param_places_.size();
  if (wanted != params_.size()) {
    std::size_t place = text_.size();
    if (wanted > params_.size()) place = param_places_[params_.size()];
    refuse(place,
           fmt::format("the number of '?' is {}, that of the values {}", wanted, params_.size()));
  }
  return std::move(conditions_.back());
}

}  // namespace obliq

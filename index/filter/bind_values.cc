// A comparison with a number becomes a range of the column's own type, whose ends are found without
// rounding (number_bounds.h); a list becomes a few ranges where it is short, else a set. != and
// "not" are not seen here: they negate the test of = (bind.cc).
#include "index/filter/bind_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>

#include "index/filter/filter_fault.h"
#include "index/filter/number_bounds.h"
#include "index/filter/timestamp.h"

namespace obliq {
namespace {

/// Lists that fit so many ranges are tested by them, one pass each.
constexpr std::size_t kMostRanges = 4;

struct DescribeValue {
  std::string operator()(std::monostate) const { return "null is none"; }
  std::string operator()(bool value) const { return value ? "true is a bool" : "false is a bool"; }
  std::string operator()(std::int64_t value) const {
    return fmt::format("{} is an integer", value);
  }
  std::string operator()(double value) const { return fmt::format("{} is a double", value); }
  std::string operator()(const std::string& value) const { return quoted(value) + " is a text"; }
  std::string operator()(const std::vector<std::int64_t>&) const {
    return "the values of the list are integers";
  }
  std::string operator()(const std::vector<double>&) const {
    return "the values of the list are doubles";
  }
  std::string operator()(const std::vector<std::string>&) const {
    return "the values of the list are texts";
  }
};

[[noreturn]] void refuse_type(const TypedQuestion& question, const Literal& literal) {
  const std::string value = literal.is_timestamp ? "the value is a timestamp"
                                                 : std::visit(DescribeValue(), literal.value);
  refuse_filter(question.text, literal.place,
                fmt::format("column {} is {}, and {}", quoted(question.predicate.column),
                            to_string(question.type), value));
}

/// The texts of one literal, a list or not.
template <typename Take>
void for_each_text(const TypedQuestion& question, const Literal& literal, Take take) {
  if (const auto* text = std::get_if<std::string>(&literal.value)) {
    take(std::string_view(*text));
  } else if (const auto* texts = std::get_if<std::vector<std::string>>(&literal.value)) {
    for (const std::string& one : *texts) take(std::string_view(one));
  } else {
    refuse_type(question, literal);
  }
}

bool is_empty_list(const Literal& literal) {
  const auto* integers = std::get_if<std::vector<std::int64_t>>(&literal.value);
  const auto* doubles = std::get_if<std::vector<double>>(&literal.value);
  const auto* texts = std::get_if<std::vector<std::string>>(&literal.value);
  return (integers != nullptr && integers->empty()) || (doubles != nullptr && doubles->empty()) ||
         (texts != nullptr && texts->empty());
}

template <typename Take>
void for_each_time(const TypedQuestion& question, const Literal& literal, Take take) {
  if (const auto* time = std::get_if<std::int64_t>(&literal.value)) return take(*time);
  if (const auto* times = std::get_if<std::vector<std::int64_t>>(&literal.value)) {
    for (const std::int64_t one : *times) take(one);
    return;
  }
  for_each_text(question, literal, [&](std::string_view text) {
    const auto time = parse_timestamp(text);
    if (!time) {
      refuse_filter(question.text, literal.place,
                    fmt::format("column {} is timestamp, and {} is no time of ISO 8601 such as "
                                "'2024-05-31T12:00:00Z'",
                                quoted(question.predicate.column), quoted(text)));
    }
    take(*time);
  });
}

/// Calls take(number) with std::int64_t or double for each number of the literal.
template <typename Take>
void for_each_number(const TypedQuestion& question, const Literal& literal, Take take) {
  if (question.type == ColumnType::timestamp) return for_each_time(question, literal, take);
  if (literal.is_timestamp) refuse_type(question, literal);
  if (const auto* integer = std::get_if<std::int64_t>(&literal.value)) {
    take(*integer);
  } else if (const auto* number = std::get_if<double>(&literal.value)) {
    take(*number);
  } else if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&literal.value)) {
    for (const std::int64_t one : *integers) take(one);
  } else if (const auto* doubles = std::get_if<std::vector<double>>(&literal.value)) {
    for (const double one : *doubles) take(one);
  } else {
    refuse_type(question, literal);
  }
}

template <typename Number, typename Given>
std::optional<Number> greatest(Given given, BoundEnd end) {
  if constexpr (std::is_same_v<Number, double>) {
    return greatest_double(given, end);
  } else {
    return greatest_integer(given, end);
  }
}

template <typename Number, typename Given>
std::optional<Number> least(Given given, BoundEnd end) {
  if constexpr (std::is_same_v<Number, double>) {
    return least_double(given, end);
  } else {
    return least_integer(given, end);
  }
}

template <typename Number>
NumberRange<Number> whole_range() {
  using Limits = std::numeric_limits<Number>;
  if constexpr (Limits::has_infinity) {
    return {-Limits::infinity(), Limits::infinity()};
  } else {
    return {Limits::min(), Limits::max()};
  }
}

/// Sets the end of a range that a comparison has; one that is out of reach makes it empty.
template <typename Number>
class RangeMaker {
 public:
  template <typename Given>
  void end_at(Given given, BoundEnd end) {
    const auto most = greatest<Number>(given, end);
    is_empty_ = is_empty_ || !most;
    if (most) range_.most = *most;
  }
  template <typename Given>
  void begin_at(Given given, BoundEnd end) {
    const auto from = least<Number>(given, end);
    is_empty_ = is_empty_ || !from;
    if (from) range_.least = *from;
  }
  NumberTest<Number> test() const {
    NumberTest<Number> made;
    if (!is_empty_ && range_.least <= range_.most) made.ranges.push_back(range_);
    return made;
  }

 private:
  NumberRange<Number> range_ = whole_range<Number>();
  bool is_empty_ = false;
};

template <typename Number>
NumberTest<Number> bind_comparison(const TypedQuestion& question) {
  RangeMaker<Number> maker;
  const Comparison comparison = question.predicate.comparison;
  for_each_number(question, question.predicate.values[0], [&](auto given) {
    if (comparison == Comparison::less) {
      maker.end_at(given, BoundEnd::outside);
    } else if (comparison == Comparison::greater) {
      maker.begin_at(given, BoundEnd::outside);
    } else {
      if (comparison != Comparison::greater_equal) maker.end_at(given, BoundEnd::inside);
      if (comparison != Comparison::less_equal) maker.begin_at(given, BoundEnd::inside);
    }
  });
  return maker.test();
}

template <typename Number>
NumberTest<Number> bind_between(const TypedQuestion& question) {
  RangeMaker<Number> maker;
  for_each_number(question, question.predicate.values[0],
                  [&](auto given) { maker.begin_at(given, BoundEnd::inside); });
  for_each_number(question, question.predicate.values[1],
                  [&](auto given) { maker.end_at(given, BoundEnd::inside); });
  return maker.test();
}

bool follow(std::int64_t a, std::int64_t b) { return a + 1 == b; }  // a < b
bool follow(double, double) { return false; }

/// Of numbers that rise, each once.
template <typename Number>
NumberTest<Number> test_of(const std::vector<Number>& numbers) {
  NumberTest<Number> test;
  for (std::size_t i = 0; i < numbers.size() && test.ranges.size() <= kMostRanges; ++i) {
    if (i > 0 && follow(numbers[i - 1], numbers[i])) {
      test.ranges.back().most = numbers[i];
    } else {
      test.ranges.push_back({numbers[i], numbers[i]});
    }
  }
  if (test.ranges.size() <= kMostRanges) return test;
  test.ranges.clear();
  test.hull = {numbers.front(), numbers.back()};
  std::vector<std::int64_t> bits(numbers.size());
  std::transform(numbers.begin(), numbers.end(), bits.begin(),
                 [](Number number) { return number_bits(number); });
  std::sort(bits.begin(), bits.end());
  test.set = NumberSet(bits);
  return test;
}

template <typename Number>
NumberTest<Number> bind_list(const TypedQuestion& question) {
  std::vector<Number> numbers;
  for (const Literal& literal : question.predicate.values) {
    if (is_empty_list(literal)) continue;
    for_each_number(question, literal, [&](auto given) {
      const auto below = greatest<Number>(given, BoundEnd::inside);
      const auto above = least<Number>(given, BoundEnd::inside);
      if (below && above && *below == *above) numbers.push_back(*below + Number{0});
    });
  }
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  return test_of(numbers);
}

template <typename Number>
NumberTest<Number> bind_numbers(const TypedQuestion& question) {
  switch (question.predicate.kind) {
    case Predicate::Kind::in:
      return bind_list<Number>(question);
    case Predicate::Kind::between:
      return bind_between<Number>(question);
    default:
      return bind_comparison<Number>(question);
  }
}

std::string_view one_text(const TypedQuestion& question, std::size_t i) {
  std::string_view text;
  for_each_text(question, question.predicate.values[i], [&](std::string_view one) { text = one; });
  return text;
}

TextTest text_comparison(const TypedQuestion& question) {
  TextTest test;
  const Comparison comparison = question.predicate.comparison;
  const std::string_view text = one_text(question, 0);
  if (comparison != Comparison::greater && comparison != Comparison::greater_equal) {
    test.most = text;
    test.with_most = comparison != Comparison::less;
  }
  if (comparison != Comparison::less && comparison != Comparison::less_equal) {
    test.least = text;
    test.with_least = comparison != Comparison::greater;
  }
  return test;
}

}  // namespace

NumberTest<std::int64_t> bind_integers(const TypedQuestion& question) {
  return bind_numbers<std::int64_t>(question);
}

NumberTest<double> bind_doubles(const TypedQuestion& question) {
  return bind_numbers<double>(question);
}

TextTest bind_texts(const TypedQuestion& question) {
  if (question.predicate.kind == Predicate::Kind::compare) return text_comparison(question);
  TextTest test;
  if (question.predicate.kind == Predicate::Kind::between) {
    test.least = one_text(question, 0);
    test.most = one_text(question, 1);
    return test;
  }
  test.list.emplace();
  for (const Literal& literal : question.predicate.values) {
    if (is_empty_list(literal)) continue;
    for_each_text(question, literal, [&](std::string_view text) { test.list->push_back(text); });
  }
  std::sort(test.list->begin(), test.list->end());
  test.list->erase(std::unique(test.list->begin(), test.list->end()), test.list->end());
  return test;
}

BoolTest bind_bools(const TypedQuestion& question) {
  if (question.predicate.kind == Predicate::Kind::truth) return {.has_true = true};
  BoolTest test;
  for (const Literal& literal : question.predicate.values) {
    if (is_empty_list(literal)) continue;
    const bool* value = std::get_if<bool>(&literal.value);
    if (value == nullptr) refuse_type(question, literal);
    (*value ? test.has_true : test.has_false) = true;
  }
  return test;
}

}  // namespace obliq

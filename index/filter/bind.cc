// Goes down the tree with the parity of the NOTs above: an odd one turns "all of" into "any of" and
// back, and negates the test at the end. != is the negation of =, as "not in" is of "in".
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "index/filter/bind_values.h"
#include "index/filter/bound_filter.h"
#include "index/filter/expression.h"
#include "index/filter/filter_fault.h"
#include "index/filter/grammar.h"
#include "index/filter/near_names.h"
#include "index/filter/syntax.h"

namespace obliq {
namespace {

constexpr std::size_t kMostTold = 8;  // columns, where none is near

/// 'a', 'b' or 'c'
std::string choice(const std::vector<std::string>& names, const char* last) {
  std::string all;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) all += i + 1 == names.size() ? last : ", ";
    all += quoted(names[i]);
  }
  return all;
}

class Binder {
 public:
  Binder(const std::string& text, const ColumnSchema& schema) : text_(text), schema_(schema) {}

  BoundCondition bind(const Condition& condition, bool is_negated) const {
    if (condition.kind == Condition::Kind::negation) {
      return bind(condition.children[0], !is_negated);
    }
    if (condition.kind == Condition::Kind::predicate) {
      return bind_question(condition.predicate, is_negated);
    }
    BoundCondition bound;
    bound.kind = (condition.kind == Condition::Kind::all_of) != is_negated
                     ? BoundCondition::Kind::all_of
                     : BoundCondition::Kind::any_of;
    bound.children.reserve(condition.children.size());
    for (const Condition& child : condition.children) {
      bound.children.push_back(bind(child, is_negated));
    }
    return bound;
  }

 private:
  const ColumnSpec& find(const Predicate& predicate) const {
    const auto place = std::find_if(schema_.begin(), schema_.end(), [&](const ColumnSpec& spec) {
      return spec.name == predicate.column;
    });
    if (place == schema_.end()) refuse_name(predicate);
    return *place;
  }

  [[noreturn]] void refuse_name(const Predicate& predicate) const {
    std::vector<std::string> names;
    for (const ColumnSpec& spec : schema_) names.push_back(spec.name);
    const std::vector<std::string> near = near_names(predicate.column, names);
    std::string hint;
    if (names.empty()) {
      hint = "; there are no columns";
    } else if (!near.empty()) {
      hint = "; did you mean " + choice(near, " or ") + "?";
    } else if (names.size() <= kMostTold) {
      hint = names.size() == 1 ? "; the only one is " : "; there are ";
      hint += choice(names, " and ");
    }
    refuse_filter(text_, predicate.place,
                  fmt::format("there is no column {}{}", quoted(predicate.column), hint));
  }

  /// What is asked must make sense for the type.
  void check(const Predicate& predicate, ColumnType type) const {
    const bool is_order =
        predicate.comparison != Comparison::equal && predicate.comparison != Comparison::not_equal;
    const char* why = nullptr;
    if (type == ColumnType::bytes) {
      why = "asked only 'is null' and 'is not null'";
    } else if (predicate.kind == Predicate::Kind::truth && type != ColumnType::boolean) {
      why = "compared with something; only one of bool stands alone";
    } else if (type == ColumnType::boolean &&
               (predicate.kind == Predicate::Kind::between ||
                (predicate.kind == Predicate::Kind::compare && is_order))) {
      why = "asked only =, !=, 'in' and 'is null', or stands alone";
    }
    if (why == nullptr) return;
    refuse_filter(text_, predicate.place,
                  fmt::format("column {} is {}, which is {}", quoted(predicate.column),
                              to_string(type), why));
  }

  BoundCondition bind_question(const Predicate& predicate, bool is_negated) const {
    const ColumnSpec& spec = find(predicate);
    BoundCondition bound;
    bound.column = spec.name;
    bound.type = spec.type;
    bound.negated = is_negated != predicate.negated;
    if (predicate.kind == Predicate::Kind::null) {
      bound.negated = !bound.negated;  // the test is "is not null"
      return bound;
    }
    check(predicate, spec.type);
    if (predicate.kind == Predicate::Kind::compare &&
        predicate.comparison == Comparison::not_equal) {
      bound.negated = !bound.negated;
    }
    const TypedQuestion question{text_, predicate, spec.type};
    switch (spec.type) {
      case ColumnType::int64:
      case ColumnType::timestamp:
        bound.test = bind_integers(question);
        break;
      case ColumnType::float64:
        bound.test = bind_doubles(question);
        break;
      case ColumnType::boolean:
        bound.test = bind_bools(question);
        break;
      default:
        bound.test = bind_texts(question);
    }
    return bound;
  }

  const std::string& text_;
  const ColumnSchema& schema_;
};

}  // namespace

std::shared_ptr<const ParsedFilter> parse_filter(std::string_view text,
                                                 std::vector<FilterValue> params) {
  auto parsed = std::make_shared<ParsedFilter>();
  parsed->text = text;
  parsed->root = parse_condition(parsed->text, std::move(params));
  return parsed;
}

std::shared_ptr<const BoundFilter> bind_filter(const std::shared_ptr<const ParsedFilter>& parsed,
                                               const ColumnSchema& schema) {
  auto bound = std::make_shared<BoundFilter>();
  bound->parsed = parsed;
  bound->root = Binder(parsed->text, schema).bind(parsed->root, false);
  return bound;
}

}  // namespace obliq

// The grammar, for PEGTL: each rule is a type, and the action of a rule tells the builder of the
// tree what was read. One look at the next word decides everywhere, so that nothing that was told
// is ever taken back; where no alternative is left, the fault is known on the spot.
#include "index/filter/grammar.h"

#include <fmt/format.h>

#include <cstddef>
#include <string_view>
#include <tao/pegtl.hpp>
#include <utility>

#include "index/filter/filter_fault.h"
#include "index/filter/tree_builder.h"

namespace obliq {
namespace {

namespace peg = tao::pegtl;

constexpr std::size_t kLongest = 65'536;  // bytes

// Calls the builder at this place of the text, and reads nothing.
template <auto kTell>
struct Tell {
  using rule_t = Tell;
  using subs_t = peg::empty_list;
  template <peg::apply_mode, peg::rewind_mode, template <typename...> class,
            template <typename...> class, typename Input>
  static bool match(Input& in, TreeBuilder& tree) {
    kTell(tree, tree.place_of(in.current()));
    return true;
  }
};

template <Expected kExpected>
struct Fault : Tell<[](TreeBuilder& tree, std::size_t place) { tree.fail(kExpected, place); }> {};

template <typename Rule, Expected kExpected>
struct Need : peg::sor<Rule, Fault<kExpected>> {};

// --- words -------------------------------------------------------------------------------------

struct Space : peg::star<peg::one<' ', '\t', '\n', '\r'>> {};
struct WordRest : peg::ranges<'A', 'Z', 'a', 'z', '0', '9', '_', '_', '.', '.'> {};
template <char... kLetters>
struct Word : peg::seq<peg::istring<kLetters...>, peg::not_at<WordRest>> {};
template <char kSign>
struct Sign : peg::seq<peg::one<kSign>, Space> {};

struct And : peg::seq<Word<'a', 'n', 'd'>, Space> {};
struct Or : peg::seq<Word<'o', 'r'>, Space> {};
struct Not : peg::seq<Word<'n', 'o', 't'>, Space> {};
struct In : peg::seq<Word<'i', 'n'>, Space> {};
struct Between : peg::seq<Word<'b', 'e', 't', 'w', 'e', 'e', 'n'>, Space> {};
struct Is : peg::seq<Word<'i', 's'>, Space> {};
struct NullWord : Word<'n', 'u', 'l', 'l'> {};
struct Null : NullWord {};
struct True : Word<'t', 'r', 'u', 'e'> {};
struct False : Word<'f', 'a', 'l', 's', 'e'> {};
struct Reserved : peg::sor<And, Or, Not, In, Between, Is, NullWord, Word<'t', 'r', 'u', 'e'>,
                           Word<'f', 'a', 'l', 's', 'e'>> {};

// --- operands ----------------------------------------------------------------------------------

struct PlainName : peg::seq<peg::not_at<Reserved>, peg::ranges<'A', 'Z', 'a', 'z', '_', '_'>,
                            peg::star<WordRest>> {};
template <char kQuote>
struct Quoted : peg::seq<peg::one<kQuote>,
                         peg::star<peg::sor<peg::string<kQuote, kQuote>, peg::not_one<kQuote>>>,
                         peg::one<kQuote>> {};
struct QuotedName : Quoted<'"'> {};
struct Text : Quoted<'\''> {};
template <char kQuote, Expected kExpected>
struct Unclosed : peg::seq<peg::at<peg::one<kQuote>>, Fault<kExpected>> {};

struct TimestampWord : peg::seq<peg::istring<'t', 'i', 'm', 'e', 's', 't', 'a', 'm', 'p'>, Space,
                                peg::at<peg::one<'\''>>> {};
struct Timestamp : peg::seq<TimestampWord, Need<Text, Expected::close_of_text>> {};
struct Number
    : peg::seq<peg::opt<peg::one<'+', '-'>>,
               peg::at<peg::sor<peg::digit, peg::seq<peg::one<'.'>, peg::digit>>>,
               peg::plus<peg::sor<peg::seq<peg::one<'e', 'E'>, peg::one<'+', '-'>>, WordRest>>> {};
struct Param : peg::one<'?'> {};

struct Operand
    : peg::seq<
          peg::sor<Timestamp, Text, Unclosed<'\'', Expected::close_of_text>, Param, Number, Null,
                   True, False, PlainName, QuotedName, Unclosed<'"', Expected::close_of_name>>,
          Space> {};
struct Value : Need<Operand, Expected::value> {};

// --- questions ---------------------------------------------------------------------------------

struct LessEqual : peg::string<'<', '='> {};
struct GreaterEqual : peg::string<'>', '='> {};
struct Differs : peg::sor<peg::string<'<', '>'>, peg::string<'!', '='>> {};
struct Less : peg::one<'<'> {};
struct Greater : peg::one<'>'> {};
struct Equal : peg::one<'='> {};
struct Operator
    : peg::seq<peg::sor<LessEqual, GreaterEqual, Differs, Less, Greater, Equal>, Space> {};

struct Negated : Tell<[](TreeBuilder& tree, std::size_t) { tree.set_negated(); }> {};
struct Compared
    : peg::seq<Operator, Value, Tell<[](TreeBuilder& tree, std::size_t) { tree.end_compare(); }>> {
};
struct Listed : peg::seq<Sign<'('>, Value, peg::star<Sign<','>, Value>,
                         Need<Sign<')'>, Expected::comma_or_close>,
                         Tell<[](TreeBuilder& tree, std::size_t) { tree.end_in(); }>> {};
struct ListedParam
    : peg::seq<Param, Space, Tell<[](TreeBuilder& tree, std::size_t) { tree.end_in_param(); }>> {};
struct Among : peg::seq<In, peg::sor<Listed, ListedParam, Fault<Expected::list>>> {};
struct Enclosed : peg::seq<Between, Value, Need<And, Expected::and_of_between>, Value,
                           Tell<[](TreeBuilder& tree, std::size_t) { tree.end_between(); }>> {};
struct NotAmong
    : peg::seq<Not, Negated, peg::sor<Among, Enclosed, Fault<Expected::in_or_between>>> {};
struct IsNull : peg::seq<Is, peg::opt<Not, Negated>,
                         Need<peg::seq<NullWord, Space>, Expected::null_or_not_null>,
                         Tell<[](TreeBuilder& tree, std::size_t) { tree.end_null(); }>> {};
struct Alone : Tell<[](TreeBuilder& tree, std::size_t place) { tree.end_truth(place); }> {};
struct Question : peg::seq<Need<Operand, Expected::condition>,
                           peg::sor<Compared, Among, Enclosed, NotAmong, IsNull, Alone>> {};

// --- joined ------------------------------------------------------------------------------------

struct Begin : Tell<[](TreeBuilder& tree, std::size_t) { tree.begin_group(); }> {};
struct Enter : Tell<[](TreeBuilder& tree, std::size_t place) { tree.enter(place); }> {};
struct Leave : Tell<[](TreeBuilder& tree, std::size_t) { tree.leave(); }> {};

struct Any;
struct One;
struct Negation : peg::seq<peg::at<Not>, Enter, Not, One, Leave,
                           Tell<[](TreeBuilder& tree, std::size_t) { tree.negate(); }>> {};
struct Group : peg::seq<peg::at<peg::one<'('>>, Enter, Sign<'('>, Any,
                        Need<Sign<')'>, Expected::close>, Leave> {};
struct One : peg::sor<Negation, Group, Question> {};
struct All : peg::seq<Begin, One, peg::star<And, One>, Tell<[](TreeBuilder& tree, std::size_t) {
                        tree.end_group(Condition::Kind::all_of);
                      }>> {};
struct Any : peg::seq<Begin, All, peg::star<Or, All>, Tell<[](TreeBuilder& tree, std::size_t) {
                        tree.end_group(Condition::Kind::any_of);
                      }>> {};
struct Whole : peg::seq<Space, Any, Need<peg::eof, Expected::end>> {};

// --- what is told ------------------------------------------------------------------------------

/// The characters between the quotes, which stand in them twice.
std::string unquoted(std::string_view word) {
  std::string all;
  for (std::size_t i = 1; i + 1 < word.size(); ++i) {
    all += word[i];
    if (word[i] == word[0]) ++i;
  }
  return all;
}

template <typename Rule>
struct Action : peg::nothing<Rule> {};

template <auto kTell>
struct TellWord {
  template <typename Input>
  static void apply(const Input& in, TreeBuilder& tree) {
    kTell(tree, std::string_view(in.begin(), in.size()), tree.place_of(in.begin()));
  }
};

template <Comparison kComparison>
struct TellComparison {
  static void apply0(TreeBuilder& tree) { tree.set_comparison(kComparison); }
};

using Tree = TreeBuilder;
template <>
struct Action<PlainName> : TellWord<[](Tree& tree, std::string_view word, std::size_t place) {
  tree.add_column(std::string(word), place);
}> {};
template <>
struct Action<QuotedName> : TellWord<[](Tree& tree, std::string_view word, std::size_t place) {
  tree.add_column(unquoted(word), place);
}> {};
template <>
struct Action<Text> : TellWord<[](Tree& tree, std::string_view word, std::size_t place) {
  tree.add_text(unquoted(word), place);
}> {};
template <>
struct Action<TimestampWord> : TellWord<[](Tree& tree, std::string_view, std::size_t place) {
  tree.next_is_timestamp(place);
}> {};
template <>
struct Action<Number> : TellWord<[](Tree& tree, std::string_view word, std::size_t place) {
  tree.add_number(word, place);
}> {};
template <>
struct Action<Param>
    : TellWord<[](Tree& tree, std::string_view, std::size_t place) { tree.add_param(place); }> {};
template <>
struct Action<Null>
    : TellWord<[](Tree& tree, std::string_view, std::size_t place) { tree.add_null(place); }> {};
template <>
struct Action<True> : TellWord<[](Tree& tree, std::string_view, std::size_t place) {
  tree.add_bool(true, place);
}> {};
template <>
struct Action<False> : TellWord<[](Tree& tree, std::string_view, std::size_t place) {
  tree.add_bool(false, place);
}> {};
template <>
struct Action<Less> : TellComparison<Comparison::less> {};
template <>
struct Action<LessEqual> : TellComparison<Comparison::less_equal> {};
template <>
struct Action<Greater> : TellComparison<Comparison::greater> {};
template <>
struct Action<GreaterEqual> : TellComparison<Comparison::greater_equal> {};
template <>
struct Action<Equal> : TellComparison<Comparison::equal> {};
template <>
struct Action<Differs> : TellComparison<Comparison::not_equal> {};

}  // namespace

Condition parse_condition(const std::string& text, std::vector<FilterValue> params) {
  if (text.size() > kLongest) {
    refuse_filter(std::string_view(text).substr(0, kLongest + 100), kLongest,
                  fmt::format("the expression has {} bytes, at most {} can be; bind long lists to "
                              "'in ?'",
                              text.size(), kLongest));
  }
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) {
    refuse_filter("", 0, "the expression is empty");
  }
  TreeBuilder tree(text, std::move(params));
  peg::memory_input<peg::tracking_mode::lazy> in(text.data(), text.data() + text.size(), "");
  peg::parse<Whole, Action>(in, tree);
  return tree.finish();
}

}  // namespace obliq

// The quantizer factory: one row per family. A spec is <family><number>[:option]..., options in any
// order; the canonical form has them in the order of the row.
#include "obliq/quantizer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <stdexcept>

#include "quant/families.h"

namespace obliq {
namespace {

struct Family {
  std::string_view name;
  std::string_view numbers;  // "1..8 2.5": ranges of whole numbers and single numbers
  // Options, with spaces between them, each with its alternatives, with bars between them:
  // "orthogonal|gaussian |constnorm". The first alternative is the default; an empty one has no
  // name.
  std::string_view options;
  QuantizerPtr (*make)(const QuantizerRequest&);
};

constexpr Family kFamilies[] = {
    {"sq", "8", "", make_sq8},
    {"lm", "1..8", "|query|query-beam", make_lm},
    {"tq", "1..8 2.5 3.5", "", make_tq},
    {"tqp", "2..8", "orthogonal|gaussian |constnorm", make_tqp},
    {"wf", "1..8", "|fractional", make_wf},
    {"tcq", "1..4", "", make_tcq},
    {"e8q", "2..16", "|k1|k2|k3|k4|k5|k6|k7|k8 |opt|first |dither |query", make_e8q},
    {"d4q", "2..16", "|k1|k2|k3|k4|k5|k6|k7|k8 |opt|first |dither |query", make_d4q},
    {"z", "2..16", "|k1|k2|k3|k4|k5|k6|k7|k8 |opt|first |query", make_z},
    {"kashin", "2..8", "|paper|alternating |butterfly|haar|dct|signdct", make_kashin},
    {"kashin", "2..4", "signs|anneal |butterfly|haar|dct|signdct", make_kashin},
};

// The number at which quantizer_specs() shows a family's options.
constexpr double kTypicalNumber = 4;

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

double number_of(std::string_view text) {
  double number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::vector<double> numbers_of(const Family& family) {
  std::vector<double> numbers;
  for (const std::string_view part : split(family.numbers, ' ')) {
    const std::size_t dots = part.find("..");
    const double first = number_of(part.substr(0, dots));
    const double last = dots == std::string_view::npos ? first : number_of(part.substr(dots + 2));
    for (double number = first; number <= last; ++number) numbers.push_back(number);
  }
  return numbers;
}

using Alternatives = std::vector<std::string_view>;

std::vector<Alternatives> groups_of(const Family& family) {
  std::vector<Alternatives> groups;
  if (family.options.empty()) return groups;
  for (const std::string_view group : split(family.options, ' ')) {
    groups.push_back(split(group, '|'));
  }
  return groups;
}

std::string canonical_spec(const Family& family, double number, const Alternatives& chosen) {
  std::string spec = fmt::format("{}{:g}", family.name, number);
  for (const std::string_view option : chosen) {
    if (!option.empty()) spec.append(":").append(option);
  }
  return spec;
}

Alternatives defaults_of(const std::vector<Alternatives>& groups) {
  Alternatives chosen;
  for (const Alternatives& group : groups) chosen.push_back(group.front());
  return chosen;
}

// Chooses the given alternatives, at most one per option. False when one is unknown or an option is
// named twice.
bool choose_options(const std::vector<Alternatives>& groups,
                    std::span<const std::string_view> options, Alternatives& chosen) {
  std::vector<bool> named(groups.size());
  for (const std::string_view option : options) {
    const auto group = std::find_if(groups.begin(), groups.end(), [&](const Alternatives& known) {
      return !option.empty() && std::find(known.begin(), known.end(), option) != known.end();
    });
    if (group == groups.end()) return false;
    const auto g = static_cast<std::size_t>(group - groups.begin());
    if (named[g]) return false;
    named[g] = true;
    chosen[g] = option;
  }
  return true;
}

// Writes the request that `spec` describes; false when the spec is not one of this family's.
bool parse(const Family& family, std::string_view spec, QuantizerRequest& request) {
  const std::vector<std::string_view> parts = split(spec, ':');
  for (const double number : numbers_of(family)) {
    if (parts.front() != canonical_spec(family, number, {})) continue;
    const std::vector<Alternatives> groups = groups_of(family);
    Alternatives chosen = defaults_of(groups);
    if (!choose_options(groups, std::span(parts).subspan(1), chosen)) return false;
    request.spec = canonical_spec(family, number, chosen);
    request.number = number;
    request.options = {chosen.begin(), chosen.end()};
    return true;
  }
  return false;
}

// The rows of the largest square matrix that the quantizer holds; 0: it holds none.
std::size_t matrix_rows(const QuantizerRequest& request) {
  const std::size_t dim = request.dim;
  if (request.spec.starts_with("wf") || request.has("gaussian") || request.has("haar")) return dim;
  // A DCT halves even lengths and is a matrix for the odd part.
  const bool dct = request.has("dct") || request.has("signdct");
  return dct ? dim >> std::countr_zero(dim) : 0;
}

void check_matrix(const QuantizerRequest& request) {
  const std::size_t rows = matrix_rows(request);
  if (rows <= kMostDenseDims) return;
  throw std::invalid_argument(fmt::format(
      "quantizer '{}' holds a matrix of {} x {} numbers at dim {}; such matrices are limited to {} "
      "rows: choose another quantizer, such as 'lm4'",
      request.spec, rows, rows, request.dim, kMostDenseDims));
}

}  // namespace

QuantizerPtr make_quantizer(std::string_view spec, std::size_t dim, std::uint64_t seed,
                            std::span<const std::uint8_t> state) {
  if (dim == 0) throw std::invalid_argument("a quantizer needs a dim of 1 or more, not 0");
  QuantizerRequest request{{}, 0, {}, dim, seed, state};
  for (const Family& family : kFamilies) {
    if (!parse(family, spec, request)) continue;
    check_matrix(request);
    QuantizerPtr quantizer = family.make(request);
    if (state.size() != quantizer->state().size()) {
      throw std::invalid_argument(fmt::format("quantizer '{}' does not keep a state of {} bytes",
                                              request.spec, state.size()));
    }
    return quantizer;
  }
  throw std::invalid_argument(fmt::format("unknown quantizer '{}'; valid are {}", spec,
                                          fmt::join(quantizer_grammar(), ", ")));
}

std::vector<std::string> quantizer_specs() {
  std::vector<std::string> specs;
  for (const Family& family : kFamilies) {
    const std::vector<double> numbers = numbers_of(family);
    const std::vector<Alternatives> groups = groups_of(family);
    for (const double number : numbers) {
      specs.push_back(canonical_spec(family, number, defaults_of(groups)));
    }
    const bool typical = std::find(numbers.begin(), numbers.end(), kTypicalNumber) != numbers.end();
    for (std::size_t g = 0; g < groups.size(); ++g) {
      for (const std::string_view option : std::span(groups[g]).subspan(1)) {
        Alternatives chosen = defaults_of(groups);
        chosen[g] = option;
        specs.push_back(canonical_spec(family, typical ? kTypicalNumber : numbers.front(), chosen));
      }
    }
  }
  return specs;
}

std::vector<std::string> quantizer_grammar() {
  std::vector<std::string> lines;
  for (const Family& family : kFamilies) {
    const bool single = family.numbers.find_first_of(" .") == std::string_view::npos;
    const auto numbers = fmt::format("{}", fmt::join(split(family.numbers, ' '), ","));
    std::string line = single ? fmt::format("{}{}", family.name, numbers)
                              : fmt::format("{}{{{}}}", family.name, numbers);
    for (const Alternatives& group : groups_of(family)) {
      std::vector<std::string> names;
      for (const std::string_view option : group) {
        if (!option.empty()) names.push_back(fmt::format(":{}", option));
      }
      line += fmt::format("[{}]", fmt::join(names, "|"));
    }
    lines.push_back(line);
  }
  return lines;
}

QuantizerPtr Quantizer::with_encoder(std::span<const std::uint8_t> encoder_state) const {
  throw std::invalid_argument(fmt::format(
      "the encoder of '{}' learns nothing, but {} bytes are given", spec(), encoder_state.size()));
}

void Quantizer::encode_batch(MatrixView<float> x, std::uint8_t* codes, Factors* factors) const {
  const std::size_t bytes = layout().code_bytes;
  for (std::size_t i = 0; i < x.rows; ++i) encode(x.row(i), codes + i * bytes, factors[i]);
}

}  // namespace obliq

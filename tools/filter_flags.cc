#include "tools/filter_flags.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "tools/flags.h"
#include "tools/keys.h"

namespace obliq::tools {
namespace {

[[noreturn]] void refuse_param(const std::string& text) {
  throw std::invalid_argument(fmt::format(
      "--param {} is no value: a number, true, false, a text, or a list of numbers or of texts; "
      "--param-text takes any text as it is",
      text));
}

template <typename Value>
FilterValue list_of(const nlohmann::json& json) {
  return json.get<std::vector<Value>>();
}

/// An unsigned number that int64 does not hold is none.
bool is_whole(const nlohmann::json& json) {
  return json.is_number_integer() &&
         (!json.is_number_unsigned() ||
          json.get<std::uint64_t>() <= std::numeric_limits<std::int64_t>::max());
}

FilterValue list_value(const nlohmann::json& json, const std::string& text) {
  const auto all = [&](auto is_one) { return std::all_of(json.begin(), json.end(), is_one); };
  if (all([](const auto& value) { return value.is_string(); })) return list_of<std::string>(json);
  if (all(is_whole)) return list_of<std::int64_t>(json);
  if (all([](const auto& value) { return value.is_number(); })) return list_of<double>(json);
  refuse_param(text);
}

}  // namespace

FilterValue parse_param(const std::string& text) {
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  if (json.is_discarded()) return text;
  if (json.is_boolean()) return json.get<bool>();
  if (is_whole(json)) return json.get<std::int64_t>();
  if (json.is_number_float()) return json.get<double>();
  if (json.is_string()) return json.get<std::string>();
  if (json.is_array()) return list_value(json, text);
  refuse_param(text);
}

void FilterFlags::add_flags(CLI::App& app) {
  auto* filter = app.add_option(
      "--filter", expression_,
      "Answer with vectors alone whose columns satisfy this: \"year >= 2020 and lang in "
      "('en','de')\"; ? stands for a --param");
  app.add_option_function<std::string>(
         "--param",
         [this](const std::string& text) { add_param("--param", text, parse_param(text)); },
         "Value of the next ?: a number, true, false, \"a text\" or [\"a\",\"list\"] as JSON has "
         "them; what is no JSON is a text. For each ? once")
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)
      ->trigger_on_parse()
      ->needs(filter);
  app.add_option_function<std::string>(
         "--param-text", [this](const std::string& text) { add_param("--param-text", text, text); },
         "The same of a text, whatever is in it: for what users type")
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)
      ->trigger_on_parse()
      ->needs(filter);
  auto* allowed = app.add_option("--allow-ids", allowed_file_,
                                 "File of the ids that may be answers; of strings a line each")
                      ->check(file_name());
  app.add_option("--deny-ids", denied_file_, "File of ids that may not")
      ->check(file_name())
      ->excludes(allowed);
}

void FilterFlags::add_param(const char* flag, const std::string& text, FilterValue value) {
  params_.push_back(std::move(value));
  param_texts_ += fmt::format(" {} {}", flag, text);
}

std::string FilterFlags::text() const {
  std::string text;
  if (!expression_.empty()) text += " --filter " + expression_ + param_texts_;
  if (!allowed_file_.empty()) text += " --allow-ids " + allowed_file_;
  if (!denied_file_.empty()) text += " --deny-ids " + denied_file_;
  return text.empty() ? text : text.substr(1);
}

std::optional<Filter> FilterFlags::read(const Inputs& inputs, bool has_keys) const {
  std::vector<Filter> filters;
  if (!expression_.empty()) filters.push_back(Filter::where(expression_, params_));
  const bool denies = !denied_file_.empty();
  const std::string& file = denies ? denied_file_ : allowed_file_;
  if (!file.empty() && has_keys) {
    const auto keys = read_keys(file);
    const auto views = views_of(keys);
    filters.push_back(denies ? Filter::deny_keys(views) : Filter::allow_keys(views));
  } else if (!file.empty()) {
    const auto ids = inputs.read_ids(file, "ids");
    filters.push_back(denies ? Filter::deny(ids.values) : Filter::allow(ids.values));
  }
  if (filters.empty()) return std::nullopt;
  return filters.size() == 1 ? filters[0] : Filter::all_of(filters);
}

}  // namespace obliq::tools

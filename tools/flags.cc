#include "tools/flags.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>
#include <stdexcept>
#include <string_view>

namespace obliq::tools {
namespace {

/// The number that is all of the text; nothing for other texts.
template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number = 0;
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, number);
  if (result.ec != std::errc() || result.ptr != end) return std::nullopt;
  return number;
}

/// The whole number of 1 or more that is all of the text; nothing for other texts.
std::optional<std::size_t> parse_count(std::string_view text) {
  const auto count = parse_number<std::size_t>(text);
  return count == 0 ? std::nullopt : count;
}

}  // namespace

void add_json(CLI::App& app, bool& json) { app.add_flag("--json", json, "Print JSON lines"); }

CLI::Validator positive_count() {
  const auto fault = [](const std::string& text) -> std::string {
    if (parse_count(text)) return {};
    return fmt::format("must be a whole number of 1 or more, not '{}'", text);
  };
  return {fault, "POSITIVE", "positive count"};
}

CLI::Validator count_or_zero() {
  const auto fault = [](const std::string& text) -> std::string {
    if (parse_number<std::size_t>(text)) return {};
    return fmt::format("must be a whole number of 0 or more, not '{}'", text);
  };
  return {fault, "NONNEGATIVE", "count or zero"};
}

CLI::Validator number_between(double least, double most) {
  const auto fault = [least, most](const std::string& text) -> std::string {
    const auto number = parse_number<double>(text);
    if (number && *number >= least && *number <= most) return {};
    return fmt::format("must be a number from {} to {}, not '{}'", least, most, text);
  };
  return {fault, fmt::format("{} to {}", least, most), "number between"};
}

CLI::Validator file_name() {
  const auto fault = [](const std::string& text) -> std::string {
    return text.empty() ? "names no file: leave the flag out, or name one" : "";
  };
  return {fault, "FILE", "file name"};
}

void add_threads(CLI::App& app, int& threads, const std::string& what) {
  app.add_option("--threads", threads, what + " (0: as many as the process may use)")
      ->check(count_or_zero())
      ->capture_default_str();
}

void add_batch_order(CLI::App& app, std::string& order) {
  app.add_option(
         "--batch-order", order,
         "Search many queries one by one (query) or list by list (list); the answers are the "
         "same; auto: list where enough queries visit the same lists")
      ->check(CLI::IsMember({"auto", "query", "list"}))
      ->capture_default_str();
}

void add_output_format(CLI::App& app, std::string& format) {
  app.add_option("--output-format", format,
                 "Format of an output whose name tells none, as /dev/stdout: .npy, .fvecs ...");
}

void add_seed(CLI::App& app, std::uint64_t& seed) {
  app.add_option("--seed", seed, "Seed of all randomness")->capture_default_str();
}

void add_metric(CLI::App& app, std::string& metric, const std::string& otherwise) {
  app.add_option("--metric", metric, "Metric; default: " + otherwise)
      ->check(CLI::IsMember(
          {"l2", "ip", "cosine", "euclidean", "dot", "inner_product", "angular", "normalized"}));
}

void add_nprobe_list(CLI::App& app, std::vector<std::size_t>& nprobe) {
  app.add_option("--nprobe", nprobe,
                 "Lists to scan, with commas; default: 1,2,4,... to the lesser of "
                 "nlist and 256 (bench: 64)")
      ->delimiter(',')
      ->check(positive_count());
}

void add_confidence(CLI::App& app, float& confidence) {
  app.add_option("--confidence", confidence,
                 "Probability that a true neighbour passes a bound, in (0, 1]; 1 prunes nothing; "
                 "the default gives way to what tuning found")
      ->check(number_between(0.0, 1.0))
      ->capture_default_str();
}

void add_segments(CLI::App& app, std::vector<std::string>& segments) {
  // One name each time: more would take what stands behind for segments.
  app.add_option("--segment", segments,
                 "Segment of the model that INDEX then is, for each segment once: they are "
                 "searched together, as if they were merged, but not tuned")
      ->type_size(1)
      ->allow_extra_args(false)
      ->check(file_name());
}

void add_searched(CLI::App& app, std::string& index, std::string& queries,
                  std::vector<std::string>& segments) {
  app.add_option("index", index, "Index or collection; with --segment a model")->required();
  app.add_option("queries", queries,
                 "Queries; HDF5: FILE:dataset, default test. The labels of an HDF5 set are shown")
      ->required();
  add_segments(app, segments);
}

std::size_t parse_nlist(const std::string& text) {
  if (text == "auto") return 0;
  if (const auto nlist = parse_count(text)) return *nlist;
  throw std::invalid_argument(
      fmt::format("--nlist must be 'auto' or a positive number, not '{}'", text));
}

std::vector<std::size_t> resolve_nprobe(const std::vector<std::size_t>& nprobe, std::size_t nlist,
                                        std::size_t last) {
  if (!nprobe.empty()) return nprobe;
  std::vector<std::size_t> doubled;
  const std::size_t end = std::min(last, nlist);
  for (std::size_t p = 1; p < end; p *= 2) doubled.push_back(p);
  doubled.push_back(std::max<std::size_t>(end, 1));
  return doubled;
}

void add_max_memory(CLI::App& app, std::size_t& bytes, const std::string& help) {
  app.add_option("--max-memory", bytes, help)->transform(CLI::AsSizeValue(true));
}

Range parse_range(const std::string& flag, const std::string& text) {
  const std::size_t colon = std::min(text.find(':'), text.size());
  const auto first = parse_number<std::size_t>(std::string_view(text).substr(0, colon));
  const auto end =
      parse_number<std::size_t>(std::string_view(text).substr(std::min(colon + 1, text.size())));
  if (first && end && *first < *end) return {*first, *end};
  throw std::invalid_argument(fmt::format(
      "{} must be A:B, whole numbers, A less than B, not '{}': 0:1000 are the first 1000", flag,
      text));
}

void print_json(const nlohmann::ordered_json& object, std::FILE* to) {
  fmt::print(to, "{}\n",
             object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  std::fflush(to);
}

}  // namespace obliq::tools

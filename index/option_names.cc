// The names of options' values, as the command line, Python and files have them.
#include <fmt/format.h>

#include <stdexcept>

#include "obliq/index.h"

namespace obliq {

std::string to_string(RawTier raw) {
  switch (raw) {
    case RawTier::none:
      return "none";
    case RawTier::fp16:
      return "fp16";
    case RawTier::fp32:
      return "fp32";
  }
  throw std::invalid_argument("not a raw tier: " + std::to_string(static_cast<int>(raw)));
}

RawTier parse_raw_tier(std::string_view name) {
  for (const RawTier raw : {RawTier::none, RawTier::fp16, RawTier::fp32}) {
    if (name == to_string(raw)) return raw;
  }
  throw std::invalid_argument("unknown raw tier '" + std::string(name) +
                              "'; valid: none, fp16, fp32");
}

BatchOrder parse_batch_order(std::string_view name) {
  for (const BatchOrder order : {BatchOrder::automatic, BatchOrder::query, BatchOrder::list}) {
    if (name == to_string(order)) return order;
  }
  throw std::invalid_argument(
      fmt::format("unknown batch order '{}'; valid: auto, query, list", name));
}

std::string to_string(BatchOrder order) {
  switch (order) {
    case BatchOrder::automatic:
      return "auto";
    case BatchOrder::query:
      return "query";
    case BatchOrder::list:
      return "list";
  }
  throw std::invalid_argument(fmt::format("not a batch order: {}", static_cast<int>(order)));
}

std::string to_string(SearchEnd end) {
  switch (end) {
    case SearchEnd::all_lists:
      return "all lists";
    case SearchEnd::nprobe:
      return "nprobe";
    case SearchEnd::stop_rule:
      return "stop rule";
    case SearchEnd::k_found:
      return "k found";
    case SearchEnd::given:
      return "given";
    case SearchEnd::all_allowed:
      return "all allowed";
  }
  throw std::invalid_argument(fmt::format("not an end of a search: {}", static_cast<int>(end)));
}

std::string to_string(SearchMethod method) {
  switch (method) {
    case SearchMethod::lists:
      return "lists";
    case SearchMethod::masked_lists:
      return "masked lists";
    case SearchMethod::direct:
      return "direct";
  }
  throw std::invalid_argument(fmt::format("not a method: {}", static_cast<int>(method)));
}

}  // namespace obliq

#include "storage/section_sink.h"

#include <fmt/format.h>

#include <stdexcept>

namespace obliq {

void SectionMemory::begin(std::string_view name, Need) {
  const auto [place, is_new] = sections_.try_emplace(std::string(name));
  if (!is_new) throw std::invalid_argument(fmt::format("section '{}' begun twice", name));
  last_ = &place->second;
}

void SectionMemory::append(std::span<const std::byte> bytes) {
  if (last_ == nullptr) throw std::invalid_argument("bytes given before a section was begun");
  last_->insert(last_->end(), bytes.begin(), bytes.end());
}

std::span<const std::byte> SectionMemory::written(std::string_view name) {
  const auto place = sections_.find(name);
  if (place != sections_.end()) return place->second;
  throw std::invalid_argument(fmt::format("no section '{}' was begun", name));
}

}  // namespace obliq

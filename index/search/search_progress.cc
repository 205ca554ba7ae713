// Containers are emptied and not freed, so that a search after the first allocates nothing.
#include "index/search/search_progress.h"

#include <algorithm>
#include <limits>

namespace obliq {
namespace {

std::int64_t id_of(const void* set, std::uint32_t slot) {
  return static_cast<const SegmentSet*>(set)->id(slot);
}

}  // namespace

void SearchProgress::start(const SearchPlan& what, const SegmentSet& set) {
  plan = what;
  top.reset(plan.k, {id_of, &set}, plan.radius);
  probes.clear();
  keys_ahead.clear();
  is_over = false;
  lists = last_improved = checks = asked_blocks = asked_rows = 0;
  entries = 0;
  met = met_near = {};
  if (set.spilled() == 0) return;
  views.clear();
  refined.clear();
}

void SearchProgress::write_answers(float least, float most, float* distances, std::int64_t* slots) {
  const auto& answers = top.sorted();
  for (std::size_t i = 0; i < answers.size(); ++i) {
    distances[i] = std::clamp(answers[i].first, least, most);
    slots[i] = static_cast<std::int64_t>(answers[i].second);
  }
  std::fill(distances + answers.size(), distances + plan.k, std::numeric_limits<float>::infinity());
  std::fill(slots + answers.size(), slots + plan.k, -1);
}

std::size_t SearchProgress::bytes() const {
  return sizeof *this + top.bytes() + probes.capacity() * sizeof(RankedProbe) +
         keys_ahead.capacity() * sizeof(float) + cursor.bytes() + views.bytes() + refined.bytes();
}

}  // namespace obliq

// Containers are emptied and not freed, so that a search after the first allocates nothing.
#include "index/search/search_progress.h"

#include <algorithm>
#include <limits>

namespace obliq {

void SearchProgress::start(const SearchPlan& what, bool spilled) {
  plan = what;
  top.reset(plan.k);
  probes.clear();
  keys_ahead.clear();
  lists = last_improved = checks = 0;
  entries = 0;
  if (!spilled) return;
  views.clear();
  refined.clear();
}

void SearchProgress::write_answers(float least, float most, float* distances, std::int64_t* rows) {
  const auto& answers = top.sorted();
  for (std::size_t i = 0; i < answers.size(); ++i) {
    distances[i] = std::clamp(answers[i].first, least, most);
    rows[i] = static_cast<std::int64_t>(answers[i].second);
  }
  std::fill(distances + answers.size(), distances + plan.k, std::numeric_limits<float>::infinity());
  std::fill(rows + answers.size(), rows + plan.k, -1);
}

std::size_t SearchProgress::bytes() const {
  return sizeof *this + top.bytes() + probes.capacity() * sizeof(RankedProbe) +
         keys_ahead.capacity() * sizeof(float) + cursor.bytes() + views.bytes() + refined.bytes();
}

}  // namespace obliq

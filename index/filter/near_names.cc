// The distance is that of optimal string alignment (Damerau, Levenshtein) over bytes, letters of
// ASCII taken in lower case, by the usual table of which three rows are kept.
#include "index/filter/near_names.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace obliq {
namespace {

constexpr std::size_t kMostNames = 3;

std::string lower(std::string_view text) {
  std::string all(text);
  for (char& letter : all) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return all;
}

std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::size_t> older(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> now(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) now[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    older.swap(last);
    last.swap(now);
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t other = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, other});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        now[j] = std::min(now[j], older[j - 2] + 1);
      }
    }
  }
  return now[b.size()];
}

}  // namespace

std::vector<std::string> near_names(std::string_view name, std::span<const std::string> names) {
  const std::string mine = lower(name);
  std::vector<std::pair<std::size_t, std::string>> found;
  for (const std::string& other : names) {
    const std::size_t longer = std::max(other.size(), mine.size());
    const std::size_t shorter = std::min(other.size(), mine.size());
    const std::size_t most = std::max<std::size_t>(2, longer / 3);
    if (longer - shorter > most) continue;
    const std::size_t distance = edits(mine, lower(other));
    if (distance <= most && distance < shorter) found.emplace_back(distance, other);
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> nearest;
  for (std::size_t i = 0; i < std::min(found.size(), kMostNames); ++i) {
    nearest.push_back(std::move(found[i].second));
  }
  return nearest;
}

}  // namespace obliq

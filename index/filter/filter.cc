// A filter keeps what it found for each segment beside the segment's owner, which names it for as
// long as anybody remembers it. So after a change of a collection only the segments that are new,
// or of which rows were deleted, are looked at again.
#include "obliq/filter.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <utility>

#include "index/filter/expression.h"
#include "index/filter/filter_access.h"
#include "index/filter/id_set.h"
#include "index/segment/id_lookup.h"

namespace obliq {
namespace {

struct Keys {
  std::vector<std::string> keys;
  bool allowed = true;
};

struct Positions {
  std::vector<std::uint8_t> allowed;
};

using Callback = std::function<bool(std::int64_t)>;
using Expression = std::shared_ptr<const ParsedFilter>;
using Condition = std::variant<Expression, IdSet, Keys, Positions, Callback, std::vector<Filter>>;

// What was found for a segment.
struct Known {
  std::weak_ptr<const void> segment;
  std::weak_ptr<const RowBits> deleted;
  std::shared_ptr<const AllowedRows> rows;
};

// Whether a pointer that is kept is the same; of two that own nothing, if `none`. One that owned
// what is gone by now is not the same as none.
template <typename T>
bool is_same(const std::weak_ptr<T>& known, const std::shared_ptr<T>& now, bool none) {
  if (now == nullptr && !none) return false;
  return !known.owner_before(now) && !now.owner_before(known);
}

}  // namespace

struct OBLIQ_HIDDEN Filter::Impl {
  explicit Impl(Condition what) : condition(std::move(what)) {}

  Condition condition;
  mutable std::mutex mutex;  ///< of what follows
  mutable std::vector<Known> known;
};

namespace {

// Looks at the segments of one set.
class Evaluation {
 public:
  Evaluation(const Condition& condition, const FilterSubject& subject)
      : condition_(condition), subject_(subject) {
    if (const auto* parsed = std::get_if<Expression>(&condition)) {
      bound_ = bind_filter(*parsed, subject.schema);
    }
    if (const auto* keys = std::get_if<Keys>(&condition)) find_keys(*keys);
    if (const auto* filters = std::get_if<std::vector<Filter>>(&condition)) {
      for (const Filter& filter : *filters) parts_.push_back(FilterAccess::rows(filter, subject));
    }
    if (const auto* positions = std::get_if<Positions>(&condition)) check(*positions);
    if (const auto* ids = std::get_if<IdSet>(&condition)) check(*ids);
  }

  std::vector<std::uint64_t> rows(std::size_t segment) const {
    const Segment& of = subject_.set.segments()[segment];
    if (bound_ != nullptr) {
      std::vector<std::uint64_t> words = words_for(of);
      evaluate(*bound_, of, std::span(words).first(words.size() - 1));
      return words;
    }
    if (std::holds_alternative<std::vector<Filter>>(condition_)) return common_rows(segment);
    if (const auto* ids = std::get_if<IdSet>(&condition_)) return ids->rows(of);
    if (const auto* keys = std::get_if<Keys>(&condition_)) return rows_of(*keys, segment);
    if (const auto* positions = std::get_if<Positions>(&condition_)) {
      return rows_where(of, [&](std::int64_t id) {
        const auto at = static_cast<std::size_t>(id);
        return at < positions->allowed.size() && positions->allowed[at] != 0;
      });
    }
    if (subject_.slot_of_key) {
      throw std::invalid_argument("filter: a callback is asked by numbers, ids are strings here");
    }
    return rows_where(of, std::get<Callback>(condition_));
  }

 private:
  void check(const Positions& positions) const {
    const std::size_t n = positions.allowed.size();
    bool fits = n == subject_.set.n() && !subject_.slot_of_key;
    for (const Segment& segment : subject_.set.segments()) {
      fits = fits && segment.info.has_ids == 0 &&
             std::ranges::all_of(segment.positions, [n](std::uint32_t at) { return at < n; });
    }
    if (fits) return;
    throw std::invalid_argument(
        fmt::format("filter: {} values by position, for {} vectors: it takes one for each of an "
                    "index whose ids are positions",
                    n, subject_.set.n()));
  }

  void check(const IdSet& ids) const {
    if (!subject_.slot_of_key || ids.size() == 0) return;
    throw std::invalid_argument(
        "filter: ids are given as numbers, they are strings here: use allow_keys or deny_keys");
  }

  void find_keys(const Keys& keys) {
    if (!subject_.slot_of_key) {
      if (subject_.set.segments().empty()) return;  // nothing that tells what ids are
      throw std::invalid_argument(
          "filter: keys are given, ids are numbers here: use allow or deny");
    }
    for (const std::string& key : keys.keys) {
      const std::uint32_t slot = subject_.slot_of_key(key);
      if (slot != kNoSlot) slots_.push_back(slot);
    }
  }

  std::vector<std::uint64_t> rows_of(const Keys& keys, std::size_t segment) const {
    const Segment& of = subject_.set.segments()[segment];
    std::vector<std::uint64_t> words = keys.allowed ? words_for(of) : all_words_for(of);
    const std::uint32_t first = subject_.set.first_slot(segment);
    for (const std::uint32_t slot : slots_) {
      if (slot < first || slot - first >= of.info.rows) continue;
      words[(slot - first) / 64] ^= std::uint64_t{1} << (slot - first) % 64;
    }
    return words;
  }

  std::vector<std::uint64_t> common_rows(std::size_t segment) const {
    std::vector<std::uint64_t> words = all_words_for(subject_.set.segments()[segment]);
    for (const auto& part : parts_) {
      const std::vector<std::uint64_t>& other = part->segments[segment]->words;
      for (std::size_t i = 0; i < words.size(); ++i) words[i] &= other[i];
    }
    return words;
  }

  template <typename Allows>
  std::vector<std::uint64_t> rows_where(const Segment& segment, const Allows& allows) const {
    std::vector<std::uint64_t> words = words_for(segment);
    for (const ListRecord& record : segment.lists.records()) {
      for (std::uint32_t i = 0; i < record.primaries && !record.is_foreign(); ++i) {
        const std::uint32_t row = record.first_row + i;
        if (allows(segment.id(row))) set_row(words, row);
      }
    }
    return words;
  }

  const Condition& condition_;
  const FilterSubject& subject_;
  std::shared_ptr<const BoundFilter> bound_;
  std::vector<std::uint32_t> slots_;  // of keys, each once
  std::vector<std::shared_ptr<const RowFilter>> parts_;
};

std::shared_ptr<const AllowedRows> find_known(const std::vector<Known>& known,
                                              const SegmentSet& set, std::size_t segment) {
  const std::shared_ptr<const void>& owner = set.segments()[segment].owner;
  for (const Known& one : known) {
    if (is_same(one.segment, owner, false) &&
        is_same(one.deleted, set.shared_deleted(segment), true)) {
      return one.rows;
    }
  }
  return nullptr;
}

}  // namespace

std::shared_ptr<const RowFilter> FilterAccess::rows(const Filter& filter,
                                                    const FilterSubject& subject) {
  const Filter::Impl& impl = *filter.impl_;
  const SegmentSet& set = subject.set;
  auto found = std::make_shared<RowFilter>();
  const std::lock_guard lock(impl.mutex);
  std::optional<Evaluation> evaluation;
  std::vector<Known> known;
  for (std::size_t s = 0; s < set.segments().size(); ++s) {
    std::shared_ptr<const AllowedRows> rows = find_known(impl.known, set, s);
    if (rows == nullptr) {
      if (!evaluation) evaluation.emplace(impl.condition, subject);
      rows = std::make_shared<const AllowedRows>(
          allowed_rows(set.segments()[s], set.deleted(s), evaluation->rows(s)));
    }
    known.push_back({set.segments()[s].owner, set.shared_deleted(s), rows});
    found->count += rows->count;
    found->segments.push_back(std::move(rows));
  }
  if (set.segments().empty()) Evaluation(impl.condition, subject);  // refuses what does not fit
  impl.known = std::move(known);
  return found;
}

void FilterAccess::check(const Filter& filter, const ColumnSchema& schema) {
  const Condition& condition = filter.impl_->condition;
  if (const auto* parsed = std::get_if<Expression>(&condition)) bind_filter(*parsed, schema);
  if (const auto* filters = std::get_if<std::vector<Filter>>(&condition)) {
    for (const Filter& part : *filters) check(part, schema);
  }
}

Filter::Filter(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

Filter Filter::where(std::string_view expression, std::vector<FilterValue> params) {
  return Filter(std::make_shared<const Impl>(parse_filter(expression, std::move(params))));
}

Filter Filter::allow(std::span<const std::int64_t> ids) {
  return Filter(std::make_shared<const Impl>(IdSet(ids, true)));
}

Filter Filter::deny(std::span<const std::int64_t> ids) {
  return Filter(std::make_shared<const Impl>(IdSet(ids, false)));
}

namespace {

Keys keys_of(std::span<const std::string_view> keys, bool allowed) {
  Keys all = {{keys.begin(), keys.end()}, allowed};
  std::ranges::sort(all.keys);
  all.keys.erase(std::unique(all.keys.begin(), all.keys.end()), all.keys.end());
  return all;
}

}  // namespace

Filter Filter::allow_keys(std::span<const std::string_view> keys) {
  return Filter(std::make_shared<const Impl>(keys_of(keys, true)));
}

Filter Filter::deny_keys(std::span<const std::string_view> keys) {
  return Filter(std::make_shared<const Impl>(keys_of(keys, false)));
}

Filter Filter::positions(std::span<const std::uint8_t> allowed) {
  return Filter(std::make_shared<const Impl>(Positions{{allowed.begin(), allowed.end()}}));
}

Filter Filter::callback(std::function<bool(std::int64_t)> allows) {
  if (!allows) throw std::invalid_argument("filter: the callback is empty");
  return Filter(std::make_shared<const Impl>(std::move(allows)));
}

Filter Filter::all_of(std::span<const Filter> filters) {
  if (filters.empty()) throw std::invalid_argument("filter: all of no filters: name one or more");
  return Filter(std::make_shared<const Impl>(std::vector<Filter>(filters.begin(), filters.end())));
}

}  // namespace obliq

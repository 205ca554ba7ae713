// A learn query that is a base vector is known by its id, as are the neighbours in a truth. One
// pass over the ids of a set tells their slots.
#include "index/tune/learn_queries.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <span>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "core/sample_key.h"
#include "core/spread_rows.h"

namespace obliq {
namespace {

// Calls take(slot, id) for each vector of a set; not for foreign rows (segment.h).
template <typename Take>
void for_each_vector(const SegmentSet& set, Take take) {
  for (std::size_t s = 0; s < set.segments().size(); ++s) {
    const Segment& segment = set.segments()[s];
    for (const ListRecord& record : segment.lists.records()) {
      if (record.count < record.primaries) continue;  // foreign
      for (std::uint32_t i = 0; i < record.primaries; ++i) {
        const std::uint32_t row = record.first_row + i;
        take(set.first_slot(s) + row, segment.id(row));
      }
    }
  }
}

/// A vector that may be a learn query: its key, id and slot.
using Keyed = std::tuple<std::uint64_t, std::int64_t, std::uint32_t>;

// The `count` vectors of the smallest keys, rising.
std::vector<Keyed> smallest_keys(const SegmentSet& set, std::size_t count) {
  const std::uint64_t seed = set.model().info.seed;
  std::vector<Keyed> heap;
  for_each_vector(set, [&](std::uint32_t slot, std::int64_t id) {
    const Keyed keyed = {key_in_sample(seed, id), id, slot};
    if (heap.size() == count) {
      if (!(keyed < heap.front())) return;
      std::pop_heap(heap.begin(), heap.end());
      heap.back() = keyed;
    } else {
      heap.push_back(keyed);
    }
    std::push_heap(heap.begin(), heap.end());
  });
  std::sort_heap(heap.begin(), heap.end());
  return heap;
}

/// A neighbour in a truth.
using Known = std::pair<float, std::int64_t>;  // distance, id

// Of learn query q in all segments, nearest first.
std::vector<Known> joined(const SegmentSet& set, std::size_t q) {
  std::vector<Known> all;
  for (const Segment& segment : set.segments()) {
    if (segment.truth.empty()) continue;
    for (std::size_t i = q * Truth::kNeighbours; i < (q + 1) * Truth::kNeighbours; ++i) {
      if (segment.truth.ids[i] == -1 || std::isnan(segment.truth.distances[i])) break;
      all.emplace_back(segment.truth.distances[i], segment.truth.ids[i]);
    }
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());  // a foreign row, of two segments
  all.resize(std::min(all.size(), Truth::kNeighbours));
  return all;
}

using SlotsById = std::unordered_map<std::int64_t, std::uint32_t>;

// The slots of the learn queries and of their neighbours; TopK::kNoRow: none in the set.
SlotsById find_slots(const SegmentSet& set, const std::vector<std::vector<Known>>& truth) {
  SlotsById slots;
  for (const std::int64_t id : set.model().learn_ids) slots.emplace(id, TopK::kNoRow);
  for (const std::vector<Known>& neighbours : truth) {
    for (const auto& [distance, id] : neighbours) slots.emplace(id, TopK::kNoRow);
  }
  slots.emplace(-1, TopK::kNoRow);
  for_each_vector(set, [&](std::uint32_t slot, std::int64_t id) {
    const auto found = slots.find(id);
    if (found != slots.end()) found->second = slot;
  });
  return slots;
}

bool has_truth(const SegmentSet& set) {
  return !set.model().learn.empty() &&
         std::none_of(set.segments().begin(), set.segments().end(), [](const Segment& segment) {
           return segment.info.n > 0 && segment.truth.empty();
         });
}

}  // namespace

LearnQueries given_queries(MatrixView<float> queries, std::size_t count) {
  LearnQueries learn = {spread_rows(queries, count), {}};
  learn.self.assign(learn.queries.rows, TopK::kNoRow);
  return learn;
}

// What finds copies is found easily, and where most vectors are copies of a few, it would set the
// mean for all others: so each vector is taken once.
LearnQueries base_queries(const SegmentSet& set, const VectorSource& rows, std::size_t count) {
  const std::vector<Keyed> chosen = smallest_keys(set, count);
  const std::size_t dim = rows.dim();
  LearnQueries learn = {Matrix<float>(chosen.size(), dim), {}};
  std::set<std::string_view> known;  // bytes of learn.queries
  for (const auto& [key, id, slot] : chosen) {
    float* query = learn.queries.row(learn.self.size());
    rows.read(slot, 1, query);
    const std::string_view bytes(reinterpret_cast<const char*>(query), dim * sizeof *query);
    if (known.insert(bytes).second) learn.self.push_back(slot);
  }
  learn.queries.rows = learn.self.size();
  learn.queries.values.resize(learn.queries.rows * dim);
  return learn;
}

Neighbours exact_neighbours(const SegmentSet& set, const VectorSource& rows,
                            const LearnQueries& learn, const TuneOptions& options) {
  std::vector<std::int64_t> ids(set.slots());
  for (std::size_t s = 0; s < set.segments().size(); ++s) {
    const Segment& segment = set.segments()[s];
    for (std::uint32_t row = 0; row < segment.info.rows; ++row) {
      ids[set.first_slot(s) + row] = segment.id(row);
    }
  }
  ExactKnnOptions exact;
  exact.metric = set.model().metric();
  exact.k = Truth::kNeighbours;
  exact.threads = options.threads;
  exact.progress = options.progress;
  exact.stage = "true neighbours";
  exact.ids = ids;
  return exact_knn(rows, learn.queries.view(), learn.self, exact);
}

KnownTruth known_truth(const SegmentSet& set) {
  if (!has_truth(set)) return {};
  const TrainedModel& model = set.model();
  const std::size_t count = model.learn.size() / model.dim();
  std::vector<std::vector<Known>> truth;
  for (std::size_t q = 0; q < count; ++q) truth.push_back(joined(set, q));
  const SlotsById slots = find_slots(set, truth);
  KnownTruth known = {{Matrix<float>(count, model.dim()), {}}, Neighbours(count)};
  std::copy(model.learn.begin(), model.learn.end(), known.learn.queries.values.begin());
  for (std::size_t q = 0; q < count; ++q) {
    known.learn.self.push_back(slots.at(model.learn_ids[q]));
    for (const auto& [distance, id] : truth[q]) {
      const std::uint32_t slot = slots.at(id);
      if (slot != TopK::kNoRow) known.neighbours[q].emplace_back(distance, slot);
    }
  }
  return known;
}

}  // namespace obliq

// A learn query that is a base vector is known by its id, as are the neighbours in a truth. One
// pass over the ids of a set tells their slots.
#include "index/tune/learn_queries.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <span>
#include <stdexcept>
#include <string_view>
#include <unordered_map>

#include "core/sample_key.h"
#include "core/spread_rows.h"
#include "index/segment/id_lookup.h"
#include "index/segment/truth.h"
#include "index/segment/tuning_section.h"
#include "index/tune/row_source.h"

namespace obliq {
namespace {

using SlotsById = std::unordered_map<std::int64_t, std::uint32_t>;

// The slots of the learn queries and of their neighbours; TopK::kNoRow: none in the set.
SlotsById find_slots(const SegmentSet& set, const Truth& truth) {
  SlotsById slots;
  for (const std::int64_t id : set.model().learn_ids) slots.emplace(id, TopK::kNoRow);
  for (const std::int64_t id : truth.ids) slots.emplace(id, TopK::kNoRow);
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
  SmallestKeys smallest(set.model().info.seed, count);
  for_each_vector(set, [&](std::uint32_t slot, std::int64_t id) { smallest.offer(id, slot); });
  const std::vector<KeyedRow> chosen = smallest.take();
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

// Foreign rows are other segments' own, and deleted ones are no answers.
Neighbours exact_neighbours(const SegmentSet& set, const VectorSource& rows,
                            const LearnQueries& learn, const TuneOptions& options) {
  std::vector<std::uint32_t> slots;  // rising
  std::vector<std::int64_t> ids;
  for_each_vector(set, [&](std::uint32_t slot, std::int64_t id) {
    slots.push_back(slot);
    ids.push_back(id);
  });
  const RowSource live(slots.size(), rows.dim(),
                       [&](std::size_t row, float* out) { rows.read(slots[row], 1, out); });
  std::vector<std::uint32_t> self;
  for (const std::uint32_t slot : learn.self) {
    const auto place = std::lower_bound(slots.begin(), slots.end(), slot);
    const bool is_there = place != slots.end() && *place == slot;
    self.push_back(is_there ? static_cast<std::uint32_t>(place - slots.begin()) : TopK::kNoRow);
  }
  ExactKnnOptions exact;
  exact.metric = set.model().metric();
  exact.k = Truth::kNeighbours;
  exact.threads = options.threads;
  exact.progress = options.progress;
  exact.stage = "true neighbours";
  exact.ids = ids;
  Neighbours nearest = exact_knn(live, learn.queries.view(), self, exact);
  for (auto& answers : nearest) {
    for (auto& [distance, row] : answers) row = slots[row];
  }
  return nearest;
}

Neighbours neighbours_given(const SegmentSet& set, MatrixView<float> queries,
                            MatrixView<std::int64_t> neighbours, std::size_t count) {
  constexpr std::size_t kLeast = kTunedKs.back();
  if (neighbours.rows != queries.rows || neighbours.cols < kLeast) {
    throw std::invalid_argument(fmt::format(
        "neighbours of learn queries are {} x {}, but must be {} or more for each of {}",
        neighbours.rows, neighbours.cols, kLeast, queries.rows));
  }
  const std::size_t rows = std::min(queries.rows, count);
  std::vector<std::int64_t> ids;
  for (std::size_t i = 0; i < rows; ++i) {
    const std::int64_t* row = neighbours.row(spread_row(i, rows, queries.rows));
    ids.insert(ids.end(), row, row + kLeast);
  }
  const std::vector<std::uint32_t> slots = slots_of(set, ids);
  Neighbours all(rows);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] == -1) continue;
    if (slots[i] == kNoSlot) {
      throw std::invalid_argument(
          fmt::format("the neighbours of learn query {} name id {}, which is not in the index",
                      spread_row(i / kLeast, rows, queries.rows), ids[i]));
    }
    all[i / kLeast].emplace_back(static_cast<float>(i % kLeast), slots[i]);
  }
  return all;
}

KnownTruth known_truth(const SegmentSet& set) {
  if (!has_truth(set)) return {};
  std::vector<Truth> parts;
  for (const Segment& segment : set.segments()) {
    if (!segment.truth.empty()) parts.push_back(segment.truth);
  }
  const TruthBytes joined = join_truth(parts);
  const Truth truth = joined.view();
  const TrainedModel& model = set.model();
  const std::size_t count = model.learn.size() / model.dim();
  const SlotsById slots = find_slots(set, truth);
  KnownTruth known = {{Matrix<float>(count, model.dim()), {}}, Neighbours(count)};
  std::copy(model.learn.begin(), model.learn.end(), known.learn.queries.values.begin());
  for (const std::int64_t id : model.learn_ids) known.learn.self.push_back(slots.at(id));
  for (std::size_t i = 0; i < truth.ids.size(); ++i) {
    const std::uint32_t slot = slots.at(truth.ids[i]);
    if (slot == TopK::kNoRow) continue;
    known.neighbours[i / Truth::kNeighbours].emplace_back(truth.distances[i], slot);
  }
  return known;
}

}  // namespace obliq

// All lists are searched for the learn queries (learn_queries.h) with a recorder per query
// (stop_trace.h), then some of them at lower confidences, and for each k a ladder is made
// (target_ladder.h).
#include "index/tune/tuning.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <stdexcept>

#include "core/exact_knn.h"
#include "core/parallel.h"
#include "index/search/confidence.h"
#include "index/search/searcher.h"
#include "index/segment/tuning_section.h"
#include "index/tune/learn_queries.h"
#include "index/tune/stop_trace.h"
#include "index/tune/target_ladder.h"

namespace obliq {
namespace {

// A confidence below the usual one refines fewer rows of more lists, which pays for low targets,
// and takes back what the last list gives beyond a target. These are tried through kLowered times
// the lists that the usual one takes for the target kMostLowered.
constexpr std::array<float, 3> kLowConfidences = {0.8F, 0.6F, 0.4F};
constexpr std::size_t kLowered = 2;
constexpr float kMostLowered = 0.95F;
constexpr std::size_t kMostLearnt = 1000;
constexpr std::size_t kLeastLearnt = 250;
constexpr std::size_t kScannedRows = 500'000'000;  // queries * n, for each k

constexpr std::size_t kTracePasses = (1 + kLowConfidences.size()) * kTunedKs.size();

/// The stage "tune": passes over the learn queries, one after the other.
struct Passes {
  std::size_t all;
  std::size_t done = 0;
};

/// Searches all lists with learn queries, each left out of its own answers.
class LearnSearch {
 public:
  LearnSearch(const SegmentSet& set, const LearnQueries& learn, const TuneOptions& options,
              Passes& passes)
      : searcher_(set), learn_(learn), options_(options), passes_(passes) {}

  /// Searches by `plan`, as adapt(query, plan) changes it, and calls take(query, distances, slots).
  template <typename Adapt, typename Take>
  void run(const SearchPlan& plan, Adapt adapt, Take take) const;

 private:
  Searcher searcher_;
  const LearnQueries& learn_;
  const TuneOptions& options_;
  Passes& passes_;
};

template <typename Adapt, typename Take>
void LearnSearch::run(const SearchPlan& plan, Adapt adapt, Take take) const {
  const auto threads = static_cast<std::size_t>(resolve_threads(options_.threads));
  std::vector<std::unique_ptr<SearchScratch>> workers(threads);
  const auto search = [&](SearchScratch& scratch, std::size_t q) {
    std::vector<float> distances(plan.k);
    std::vector<std::int64_t> slots(plan.k);
    SearchCounters counters;
    SearchPlan own = plan;
    own.excluded = learn_.self[q];
    own.names_slots = true;
    adapt(q, own);
    searcher_.search(learn_.queries.row(q), own, distances.data(), slots.data(), scratch, counters);
    take(q, distances, slots);
  };
  constexpr std::size_t kReported = 128;
  const std::size_t count = learn_.self.size();
  for (std::size_t first = 0; first < count; first += kReported) {
    const double share = static_cast<double>(first) / static_cast<double>(count);
    report(options_.progress, "tune",
           (static_cast<double>(passes_.done) + share) / static_cast<double>(passes_.all));
    parallel_for(std::min(kReported, count - first), 4, options_.threads,
                 [&](std::size_t begin, std::size_t end, int thread) {
                   auto& worker = workers[static_cast<std::size_t>(thread)];
                   if (!worker) {
                     worker = std::make_unique<SearchScratch>(searcher_.set().model());
                   }
                   for (std::size_t q = begin; q < end; ++q) search(*worker, first + q);
                 });
  }
  ++passes_.done;
}

SearchPlan full_scan(const SegmentSet& set, std::size_t k) {
  SearchPlan plan;
  plan.k = k;
  plan.stop.nprobe = set.model().nlist();
  plan.deviations = static_cast<float>(normal_quantile(SearchOptions{}.confidence));
  return plan;
}

Traced trace(const SegmentSet& set, const LearnQueries& learn, const Neighbours& truth,
             SearchPlan plan, float confidence, const TuneOptions& options, Passes& passes) {
  std::vector<StopTrace> all(truth.size());
  std::vector<std::unique_ptr<TraceRecorder>> recorders(truth.size());
  plan.stop.threshold = -std::numeric_limits<float>::infinity();
  plan.deviations = static_cast<float>(normal_quantile(confidence));
  const auto watch = [&](std::size_t q, SearchPlan& own) {
    recorders[q] = std::make_unique<TraceRecorder>(truth[q], plan.k, all[q]);
    own.observer = recorders[q].get();
  };
  LearnSearch(set, learn, options, passes)
      .run(plan, watch, [&](std::size_t q, const auto&, const auto&) { recorders[q].reset(); });
  return {confidence, plan.stop.nprobe, Traces(std::move(all))};
}

// What the index finds when it scans all lists and hardly prunes.
Neighbours own_neighbours(const SegmentSet& set, const LearnQueries& learn,
                          const TuneOptions& options, Passes& passes) {
  constexpr float kDeviations = 4;
  Neighbours all(learn.self.size());
  SearchPlan plan = full_scan(set, Truth::kNeighbours);
  plan.deviations = kDeviations;
  const auto keep = [&](std::size_t q, const auto& distances, const auto& slots) {
    for (std::size_t i = 0; i < Truth::kNeighbours && slots[i] >= 0; ++i) {
      all[q].emplace_back(distances[i], static_cast<std::uint32_t>(slots[i]));
    }
  };
  LearnSearch(set, learn, options, passes)
      .run(
          plan, [](std::size_t, SearchPlan&) {}, keep);
  return all;
}

// The share with which a scan of all lists, of recall `own_max_recall` against its own answers,
// gives the recall that is known of it. Nothing known: codes lose nothing.
Kept kept_by_codes(const Tuning& known, std::uint32_t k, double own_max_recall) {
  for (const TunedLadder& ladder : known.ladders) {
    if (ladder.k == k && ladder.max_recall < own_max_recall) {
      return {k, ladder.max_recall / own_max_recall};
    }
  }
  return {k, 1};
}

// `known`: the previous tuning, where truth is what the index finds itself; else empty.
Tuning measure(const SegmentSet& set, const LearnQueries& learn, const Neighbours& truth,
               const Tuning& known, const TuneOptions& options, Passes& passes) {
  const std::size_t nlist = set.model().nlist();
  Tuning tuning;
  tuning.queries = truth.size();
  for (const std::uint32_t k : kTunedKs) {
    SearchPlan plan = full_scan(set, k);
    std::vector<Traced> traced;
    traced.reserve(1 + kLowConfidences.size());
    traced.push_back(trace(set, learn, truth, plan, SearchOptions{}.confidence, options, passes));
    const Traces& traces = traced.front().traces;
    const Kept kept = kept_by_codes(known, k, traces.at_nprobe(nlist).recall);
    const std::size_t lists = traces.least_nprobe(meets(kMostLowered, kept, traces));
    plan.stop.nprobe = std::min(nlist, kLowered * lists);
    for (const float confidence : kLowConfidences) {
      traced.push_back(trace(set, learn, truth, plan, confidence, options, passes));
    }
    tuning.ladders.push_back(make_ladder(traced, kept));
  }
  return tuning;
}

}  // namespace

std::size_t learn_count(std::size_t n) {
  return std::min(
      n, std::clamp(kScannedRows / std::max<std::size_t>(n, 1), kLeastLearnt, kMostLearnt));
}

Tuning tune_from_truth(const SegmentSet& set, const TuneOptions& options) {
  if (set.n() < kLeastTuned) return {};
  const KnownTruth known = known_truth(set);
  if (known.neighbours.empty()) return {};
  Passes passes = {kTracePasses};
  Tuning tuning = measure(set, known.learn, known.neighbours, {}, options, passes);
  tuning.from_base = std::any_of(set.model().learn_ids.begin(), set.model().learn_ids.end(),
                                 [](std::int64_t id) { return id != -1; });
  return tuning;
}

Tuning tune_opened(const SegmentSet& set, const VectorSource& rows, MatrixView<float> queries,
                   const Tuning& known, const TuneOptions& options) {
  const TrainedModel& model = set.model();
  if (queries.rows > 0 && queries.cols != model.dim()) {
    throw std::invalid_argument(
        fmt::format("learn_queries have dim {}, the index has {}", queries.cols, model.dim()));
  }
  require_finite(queries, "learn query", 0, model.metric());
  if (set.n() < kLeastTuned) return {};
  const std::size_t count = learn_count(set.n());
  const LearnQueries learn =
      queries.rows > 0 ? given_queries(queries, count) : base_queries(set, rows, count);
  const bool is_given = options.neighbours.rows > 0;
  const bool exact = is_given || model.raw_tier() != RawTier::none;
  Passes passes = {kTracePasses + (exact ? 0 : 1)};
  const Neighbours truth = is_given ? neighbours_given(set, queries, options.neighbours, count)
                           : exact  ? exact_neighbours(set, rows, learn, options)
                                    : own_neighbours(set, learn, options, passes);
  Tuning tuning = measure(set, learn, truth, exact ? Tuning{} : known, options, passes);
  tuning.from_base = queries.rows == 0;
  tuning.exact_truth = exact;
  return tuning;
}

}  // namespace obliq

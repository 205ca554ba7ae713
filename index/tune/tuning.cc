// Learn queries are taken (given, or rows of the base), their true neighbours found, all lists
// searched with a recorder per query (stop_trace.h), and for each k a ladder is made: for each
// target the greatest threshold and the least nprobe that meet it, made monotonic.
#include "index/tune/tuning.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <set>
#include <stdexcept>
#include <string_view>

#include "core/exact_knn.h"
#include "core/parallel.h"
#include "core/random.h"
#include "core/spread_rows.h"
#include "index/search/confidence.h"
#include "index/search/row_mask.h"
#include "index/search/searcher.h"
#include "index/segment/tuning_section.h"
#include "index/tune/recall_plan.h"
#include "index/tune/stop_trace.h"

namespace obliq {
namespace {

constexpr std::size_t kBlockRows = 1024;
constexpr std::size_t kTrueNeighbours = 128;  // of a query: 100 and, for ties, some more
// What the stop rule costs per query (ranking lists one by one, a check after each), in scanned
// entries: 5 of 35 us at dim 384, in which a thousand entries are scanned.
constexpr double kRuleCost = 1000;
constexpr std::size_t kMostLearnt = 1000;
constexpr std::size_t kLeastLearnt = 250;
constexpr std::size_t kScannedRows = 500'000'000;  // queries * n, for each k

// Queries as users give them, each with the base vector that it is a copy of, if any.
struct LearnQueries {
  Matrix<float> queries;
  std::vector<std::uint32_t> self;  // [queries]; TopK::kNoRow: none
};

/// What a thread searches with for learn queries.
struct Worker {
  explicit Worker(const Segment& segment) : scratch(segment), allowed(segment.info.n) {}
  SearchScratch scratch;
  RowMask allowed;
};

/// The stage "tune": passes over the learn queries, one after the other.
struct Passes {
  std::size_t all;
  std::size_t done = 0;
};

/// Searches all lists with learn queries, each left out of its own answers.
class LearnSearch {
 public:
  LearnSearch(const Segment& segment, const LearnQueries& learn, const TuneOptions& options,
              Passes& passes)
      : searcher_(segment), learn_(learn), options_(options), passes_(passes) {}

  /// Searches by `plan`, as adapt(query, plan) changes it, and calls take(query, distances, rows).
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
  std::vector<std::unique_ptr<Worker>> workers(threads);
  const auto search = [&](Worker& worker, std::size_t q) {
    std::vector<float> distances(plan.k);
    std::vector<std::int64_t> rows(plan.k);
    SearchCounters counters;
    SearchPlan own = plan;
    own.allowed = &worker.allowed;
    adapt(q, own);
    const std::uint32_t self = learn_.self[q];
    if (self != TopK::kNoRow) worker.allowed.exclude(self);
    searcher_.search(learn_.queries.row(q), own, distances.data(), rows.data(), worker.scratch,
                     counters);
    if (self != TopK::kNoRow) worker.allowed.allow(self);
    take(q, distances, rows);
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
                   if (!worker) worker = std::make_unique<Worker>(searcher_.segment());
                   for (std::size_t q = begin; q < end; ++q) search(*worker, first + q);
                 });
  }
  ++passes_.done;
}

SearchPlan full_scan(const Segment& segment, std::size_t k) {
  SearchPlan plan;
  plan.k = k;
  plan.stop.nprobe = segment.info.nlist;
  plan.deviations = static_cast<float>(normal_quantile(SearchOptions{}.confidence));
  return plan;
}

Traces trace(const Segment& segment, const LearnQueries& learn, const Neighbours& truth,
             std::size_t k, const TuneOptions& options, Passes& passes) {
  std::vector<StopTrace> all(truth.size());
  std::vector<std::unique_ptr<TraceRecorder>> recorders(truth.size());
  SearchPlan plan = full_scan(segment, k);
  plan.stop.threshold = -std::numeric_limits<float>::infinity();
  const auto watch = [&](std::size_t q, SearchPlan& own) {
    recorders[q] = std::make_unique<TraceRecorder>(truth[q], k, all[q]);
    own.observer = recorders[q].get();
  };
  LearnSearch(segment, learn, options, passes)
      .run(plan, watch, [&](std::size_t q, const auto&, const auto&) { recorders[q].reset(); });
  return Traces(std::move(all));
}

// Binomial thinning for what the codes lose, whatever lists are scanned: each of the k true
// neighbours is kept independently with probability `share`.
struct Kept {
  std::uint32_t k;
  double share;
  double recall(const Outcome& own) const { return share * own.recall; }
  double deviation(const Outcome& own) const {
    const double scaled = share * own.deviation;
    return std::sqrt(scaled * scaled + share * (1 - share) * own.recall / k);
  }
};

TunedTarget tune_target(const Traces& traces, float target, const Kept& kept, std::size_t nlist) {
  const double m = static_cast<double>(traces.queries());
  const double error = 1.2816 * std::sqrt(1 / m + 1e-3);
  const auto met = [&](const Outcome& outcome) {
    return kept.recall(outcome) >=
           std::max<double>(target, target - 0.003 + error * kept.deviation(outcome));
  };
  TunedTarget tuned = {target, traces.least_threshold(met), 0, false};
  tuned.nprobe = std::min(nlist, traces.least_nprobe(met));
  const double stop_cost = traces.at_threshold(tuned.threshold).entries;
  const double fixed_cost = traces.at_nprobe(tuned.nprobe).entries;
  tuned.uses_stop_rule = target >= kLeastStopTarget && stop_cost + kRuleCost < fixed_cost;
  return tuned;
}

// kTunedTargets; where the default recall is not among them, it takes the place of the last, which
// no search reaches then.
std::array<float, kTunedTargets.size()> targets_of(float max_recall) {
  auto targets = kTunedTargets;
  const auto usual = static_cast<float>(default_recall(max_recall));
  if (usual <= 0 || std::find(targets.begin(), targets.end(), usual) != targets.end()) {
    return targets;
  }
  targets.back() = usual;
  std::sort(targets.begin(), targets.end());
  return targets;
}

TunedLadder make_ladder(const Traces& traces, const Kept& kept, std::size_t nlist) {
  TunedLadder ladder = {kept.k, static_cast<float>(kept.recall(traces.at_nprobe(nlist))), {}};
  float threshold = std::numeric_limits<float>::infinity();
  std::size_t nprobe = 0;
  for (const float target : targets_of(ladder.max_recall)) {
    TunedTarget tuned = tune_target(traces, target, kept, nlist);
    tuned.threshold = threshold = std::min(threshold, tuned.threshold);
    tuned.nprobe = nprobe = std::max(nprobe, tuned.nprobe);
    ladder.targets.push_back(tuned);
  }
  return ladder;
}

// The learn rows, each left out of its own answers and each vector taken once: what finds copies is
// found easily, and where most vectors are copies of a few, it would set the mean for all others.
// Reads the base in order, kBlockRows at a time, which suits compressed files.
LearnQueries base_queries(const VectorSource& base, std::uint64_t seed) {
  const std::size_t n = base.rows();
  const std::vector<std::uint32_t> rows = learn_rows(n, seed);
  LearnQueries learn = {Matrix<float>(rows.size(), base.dim()), {}};
  std::set<std::string_view> known;  // bytes of learn.queries
  Matrix<float> block(std::min(kBlockRows, n), base.dim());
  std::size_t held = n;  // first row of the block
  for (const std::uint32_t row : rows) {
    if (const std::size_t first = row / kBlockRows * kBlockRows; first != held) {
      base.read(first, std::min(kBlockRows, n - first), block.values.data());
      held = first;
    }
    float* query = learn.queries.row(learn.self.size());
    std::copy_n(block.row(row - held), base.dim(), query);
    const bool added =
        known.emplace(reinterpret_cast<const char*>(query), base.dim() * sizeof *query).second;
    if (added) learn.self.push_back(row);
  }
  learn.queries.rows = learn.self.size();
  learn.queries.values.resize(learn.queries.rows * base.dim());
  return learn;
}

// At most learn_count(n) of the given ones, evenly spread.
LearnQueries given_queries(MatrixView<float> queries, std::size_t n) {
  LearnQueries learn = {spread_rows(queries, learn_count(n)), {}};
  learn.self.assign(learn.queries.rows, TopK::kNoRow);
  return learn;
}

LearnQueries learn_queries(const Segment& segment, const VectorSource& base,
                           MatrixView<float> queries) {
  return queries.rows > 0 ? given_queries(queries, segment.info.n)
                          : base_queries(base, segment.info.seed);
}

// What the index finds when it scans all lists and hardly prunes.
Neighbours own_neighbours(const Segment& segment, const LearnQueries& learn,
                          const TuneOptions& options, Passes& passes) {
  constexpr float kDeviations = 4;
  Neighbours all(learn.self.size());
  SearchPlan plan = full_scan(segment, kTrueNeighbours);
  plan.deviations = kDeviations;
  const auto keep = [&](std::size_t q, const auto& distances, const auto& rows) {
    for (std::size_t i = 0; i < kTrueNeighbours && rows[i] >= 0; ++i) {
      all[q].emplace_back(distances[i], static_cast<std::uint32_t>(rows[i]));
    }
  };
  LearnSearch(segment, learn, options, passes)
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
Tuning measure(const Segment& segment, const LearnQueries& learn, const Neighbours& truth,
               const Tuning& known, const TuneOptions& options, Passes& passes) {
  const std::size_t nlist = segment.info.nlist;
  Tuning tuning;
  tuning.queries = truth.size();
  for (const std::uint32_t k : kTunedKs) {
    const Traces traces = trace(segment, learn, truth, k, options, passes);
    const Kept kept = kept_by_codes(known, k, traces.at_nprobe(nlist).recall);
    tuning.ladders.push_back(make_ladder(traces, kept, nlist));
  }
  return tuning;
}

}  // namespace

std::size_t learn_count(std::size_t n) {
  return std::min(
      n, std::clamp(kScannedRows / std::max<std::size_t>(n, 1), kLeastLearnt, kMostLearnt));
}

std::vector<std::uint32_t> learn_rows(std::size_t n, std::uint64_t seed) {
  const std::size_t count = learn_count(n);
  Random random(seed);
  std::vector<std::uint32_t> rows;
  for (std::size_t i = 0; i < count; ++i) {
    rows.push_back(static_cast<std::uint32_t>(jittered_row(i, count, n, random)));
  }
  return rows;
}

Tuning tune_built(const Segment& segment, const VectorSource& base, MatrixView<float> queries,
                  const TuneOptions& options) {
  if (segment.info.n < kLeastTuned) return {};
  const LearnQueries learn = learn_queries(segment, base, queries);
  const Neighbours truth = exact_knn(
      base, learn.queries.view(), learn.self,
      {segment.metric(), kTrueNeighbours, options.threads, options.progress, "true neighbours"});
  Passes passes = {kTunedKs.size()};
  Tuning tuning = measure(segment, learn, truth, {}, options, passes);
  tuning.from_base = queries.rows == 0;
  return tuning;
}

Tuning tune_opened(const Segment& segment, const VectorSource& rows, MatrixView<float> queries,
                   const Tuning& known, const TuneOptions& options) {
  if (queries.rows > 0 && queries.cols != segment.dim()) {
    throw std::invalid_argument(
        fmt::format("learn_queries have dim {}, the index has {}", queries.cols, segment.dim()));
  }
  require_finite(queries, "learn query", 0, segment.metric());
  if (segment.raw_tier() != RawTier::none || segment.info.n < kLeastTuned) {
    return tune_built(segment, rows, queries, options);
  }
  const LearnQueries learn = learn_queries(segment, rows, queries);
  Passes passes = {kTunedKs.size() + 1};
  const Neighbours truth = own_neighbours(segment, learn, options, passes);
  Tuning tuning = measure(segment, learn, truth, known, options, passes);
  tuning.from_base = queries.rows == 0;
  tuning.exact_truth = false;
  return tuning;
}

}  // namespace obliq

// With nprobe all lists are routed at once. With a threshold the cursor hands out lists as they are
// needed, and after each check the search jumps as far as the rule would let it go if the k-th
// distance stayed as it is. Where the lists of nprobe cannot hold k answers, or in the end did not,
// lists are taken one after the other until there are k. Lists that the caller names are visited
// and no others.
#include "index/search/searcher.h"

#include <algorithm>
#include <limits>

#include "index/search/filter_cost.h"
#include "index/search/filtered_stop.h"
#include "index/search/stop_rule.h"

namespace obliq {
namespace {

constexpr std::size_t kAlone = 8;         // lists visited one by one, at first
constexpr std::size_t kPiece = 16;        // lists whose rows are read ahead together
constexpr std::size_t kBlocksAhead = 64;  // lists whose blocks are, beyond those
constexpr std::size_t kMostJump = 3;      // lists at the end of a round, times those before
constexpr float kInfinity = std::numeric_limits<float>::infinity();

bool has_no_answer(const SearchProgress& progress) {
  return progress.plan.filter != nullptr && progress.plan.filter->count == 0;
}

struct ByNumber {
  bool operator()(const RankedProbe& a, const RankedProbe& b) const {
    return a.probe.list < b.probe.list;
  }
};

}  // namespace

std::size_t lists_of_first_long_round(const SearchPlan& plan, std::size_t nlist) {
  const StopPolicy& stop = plan.stop;
  const std::size_t first = (1 + kMostJump) * kAlone / 2;
  const std::size_t lists = stop.threshold ? std::max(first, stop.expected / 4) : stop.nprobe;
  return std::max(std::min({lists, stop.nprobe, nlist}), kAlone) - kAlone;
}

std::size_t SearchScratch::bytes() const {
  return query.progress.bytes() + route.bytes() + probes.capacity() * sizeof(Probe) +
         scan.refine.ahead.bytes();
}

Searcher::Searcher(const SegmentSet& set) : router_(set), scanner_(router_), direct_(router_) {}

void Searcher::search(const float* query, const SearchPlan& plan, float* distances,
                      std::int64_t* ids, SearchScratch& scratch, SearchCounters& counters) const {
  start(query, plan, scratch.query, counters);
  run(scratch.query, scratch, counters);
  finish(scratch.query, distances, ids, scratch, counters);
}

void Searcher::start(const float* from, const SearchPlan& plan, ActiveQuery& query,
                     SearchCounters& counters) const {
  counters.times.start();
  query.progress.start(plan, set());
  query.prepared.set(from);
  if (plan.lists.empty()) {
    query.progress.plan.stop.nprobe = std::min(plan.stop.nprobe, set().filled());
  } else {
    take_given(query);
  }
  counters.times.lap(Stage::prepare);
}

void Searcher::run(ActiveQuery& query, SearchScratch& scratch, SearchCounters& counters) const {
  for (Round round = next_round(query, scratch, counters); !round.lists.empty();
       round = next_round(query, scratch, counters)) {
    walk(query, round.lists, scratch, counters);
  }
}

// A piece at a time, since what to ask for depends on the k-th distance: while the rows of one come
// from the disk, those of the next are asked for. The best lists are known beyond their rounds.
void Searcher::walk_from_disk(ActiveQuery& query, std::span<const RankedProbe> lists,
                              SearchScratch& scratch, SearchCounters& counters) const {
  const SearchProgress& progress = query.progress;
  const std::size_t last = progress.lists + lists.size();
  const std::size_t known = std::max(last, std::min(kAlone, progress.probes.size()));
  while (progress.lists < last) {
    const bool knows_kth = progress.top.has_threshold();
    const std::size_t begin = progress.lists;
    const std::size_t end = std::min(begin + (knows_kth ? kPiece : 1), last);
    ask_ahead(query, std::min(knows_kth ? end + kPiece : end, known), known, scratch);
    scanner_.walk(query, std::span(progress.probes).subspan(begin, end - begin), {}, scratch.scan,
                  counters);
  }
}

// For the rows of the first lists of those known, and for the blocks of some more.
void Searcher::ask_ahead(ActiveQuery& query, std::size_t rows, std::size_t known,
                         SearchScratch& scratch) const {
  SearchProgress& progress = query.progress;
  const auto some = [&](std::size_t& asked, std::size_t end) {
    const std::size_t begin = std::max(asked, progress.lists);
    asked = std::max(asked, end);
    return std::span(progress.probes).subspan(begin, std::max(begin, end) - begin);
  };
  const std::size_t blocks = std::min(rows + kBlocksAhead, known);
  scanner_.ask_for_blocks(query, some(progress.asked_blocks, blocks), scratch.scan);
  scanner_.ask_for_rows(query, some(progress.asked_rows, rows), scratch.scan);
}

// The lists that the plan names, in the order in which routing would have them visited.
void Searcher::take_given(ActiveQuery& query) const {
  auto& [prepared, progress] = query;
  std::vector<RankedProbe>& probes = progress.probes;
  for (const std::uint32_t list : progress.plan.lists) {
    if (list == kNoList) continue;
    const auto rank = static_cast<std::uint32_t>(probes.size() + 1);
    probes.push_back({router_.probe(prepared.centroids(), list), rank});
  }
  progress.plan.stop = {probes.size(), {}};
  if (probes.size() > kAlone) std::sort(probes.begin() + kAlone, probes.end(), ByNumber{});
}

// The blocks behind a round of that many lists.
NextBlocks Searcher::likely_next(const SearchProgress& progress, std::size_t round) const {
  const std::size_t lists = progress.lists + round;
  if (lists < progress.probes.size()) return first_blocks(set(), progress.probes[lists].probe.list);
  if (!progress.plan.stop.threshold || progress.cursor.taken != lists) return {};
  const Probe* likely = progress.cursor.likely_next();
  return likely == nullptr ? NextBlocks{} : first_blocks(set(), likely->list);
}

Round Searcher::next_round(ActiveQuery& query, SearchScratch& scratch,
                           SearchCounters& counters) const {
  SearchProgress& progress = query.progress;
  const StopPolicy& stop = progress.plan.stop;
  const std::size_t begin = progress.lists;
  if (set().n() == 0 || has_no_answer(progress) || progress.is_over) return {};
  // Between rounds alone, since in what order a round's lists are visited must not matter.
  if (begin <= kNearLists) progress.met_near = progress.met;
  const bool stopped = stop.threshold && begin > 0 && stops(query, counters);
  if (stopped || begin >= stop.nprobe) return {};
  if (progress.plan.filter != nullptr && is_direct_faster(progress, set())) {
    score_all(query, scratch, counters);
    return {};
  }
  if (!stop.threshold && begin == 0 && progress.plan.lists.empty()) {
    route(query, scratch, counters);
    if (stop.nprobe < set().filled() && !may_hold_k(progress)) fill(progress);
  }
  std::size_t end = begin < kAlone ? std::min(kAlone, stop.nprobe) : stop.nprobe;
  if (stop.threshold) {
    end = jump(query, scratch, counters);
    if (begin == 0 && set().reads_ahead()) {
      route_ahead(query, std::min(kAlone, stop.nprobe), scratch, counters);
    }
    std::sort(progress.probes.begin() + static_cast<std::ptrdiff_t>(begin),
              progress.probes.begin() + static_cast<std::ptrdiff_t>(end), ByNumber{});
  }
  counters.times.lap(Stage::rest);
  return {std::span(progress.probes).subspan(begin, end - begin), begin >= kAlone};
}

// Ends the search with the answers among all rows that may be some, whatever was found before.
void Searcher::score_all(ActiveQuery& query, SearchScratch& scratch,
                         SearchCounters& counters) const {
  const std::size_t lists = query.progress.lists;
  const SearchPlan plan = query.progress.plan;
  query.progress.start(plan, set());
  direct_.score(query, scratch.scan.refine, counters);
  query.progress.lists = lists;
  query.progress.is_over = true;
}

// How many lists to have visited at the next check: as many as it takes if the k-th distance does
// not fall any more, within limits since it does.
std::size_t Searcher::jump(ActiveQuery& query, SearchScratch& scratch,
                           SearchCounters& counters) const {
  SearchProgress& progress = query.progress;
  const StopPolicy& stop = progress.plan.stop;
  const std::size_t begin = progress.lists;
  std::size_t end = begin;
  do {
    end = std::min(end == 0 ? 1 : next_check(end), stop.nprobe);
    if (end > progress.probes.size()) route_ahead(query, end, scratch, counters);
    if (begin > 0) ++progress.checks;
  } while (begin >= kAlone && progress.plan.observer == nullptr && end < stop.nprobe &&
           end < kMostJump * begin && !(score(query, end, progress.checks) < threshold(progress)));
  return end;
}

// Whether the lists to visit have entries enough; with a filter nobody has counted.
bool Searcher::may_hold_k(const SearchProgress& progress) const {
  if (progress.plan.filter != nullptr) return true;
  std::uint64_t entries = 0;
  for (const RankedProbe& list : progress.probes) {
    entries += set().entries(list.probe.list);
    if (entries >= progress.plan.k) return true;
  }
  return false;
}

// Starts again, to stop as soon as there are k answers.
void Searcher::fill(SearchProgress& progress) const {
  SearchPlan plan = progress.plan;
  plan.stop = {set().filled(), kInfinity};
  progress.start(plan, set());
}

void Searcher::route(ActiveQuery& query, SearchScratch& scratch, SearchCounters& counters) const {
  auto& [prepared, progress] = query;
  router_.route(prepared, progress.plan.stop.nprobe, kAlone, scratch.route, scratch.probes,
                counters);
  for (const Probe& probe : scratch.probes) {
    progress.probes.push_back({probe, static_cast<std::uint32_t>(progress.probes.size() + 1)});
  }
}

// Makes `lists` lists known.
void Searcher::route_ahead(ActiveQuery& query, std::size_t lists, SearchScratch& scratch,
                           SearchCounters& counters) const {
  auto& [prepared, progress] = query;
  if (progress.probes.empty())
    router_.begin(progress.cursor, scratch.route, progress.plan.stop.expected);
  std::size_t check = 1;
  while (check <= progress.probes.size()) check = next_check(check);
  while (progress.probes.size() < lists) {
    const auto rank = static_cast<std::uint32_t>(progress.probes.size() + 1);
    const Probe next = router_.next(prepared, progress.cursor, scratch.route, counters);
    progress.probes.push_back({next, rank});
    if (rank < check && rank < progress.plan.stop.nprobe) continue;
    progress.keys_ahead.push_back(progress.cursor.mean_key_ahead(lists_ahead(rank)));
    check = next_check(check);
  }
}

bool Searcher::stops(const ActiveQuery& query, const SearchCounters& counters) const {
  const SearchProgress& progress = query.progress;
  const float now = score(query, progress.lists, progress.checks);
  if (progress.plan.observer != nullptr) {
    progress.plan.observer->check({progress.lists, progress.entries, now, progress.top.answers(),
                                   counters.refined + counters.exact});
  }
  return now < threshold(progress) && progress.lists >= least(progress);
}

// Lists before which the rule stops no query.
std::size_t Searcher::least(const SearchProgress& progress) const {
  const StopPolicy& stop = progress.plan.stop;
  if (stop.by_rarity.empty()) return stop.least;
  if (stop.least == 0) return filtered_least(progress, set());
  return std::max(stop.least, static_cast<std::size_t>(filtered_lists(progress, set())));
}

float Searcher::threshold(const SearchProgress& progress) const {
  const StopPolicy& stop = progress.plan.stop;
  return stop.by_rarity.empty() ? *stop.threshold : filtered_threshold(progress, set());
}

// At a check by its number, or as it would be there if the k-th distance stayed as it is.
float Searcher::score(const ActiveQuery& query, std::size_t lists, std::size_t check) const {
  const auto& [prepared, progress] = query;
  if (lists < kFirstStop || !progress.top.full()) return kInfinity;
  const StopScale scale(model().metric(), prepared.slope(), prepared.offset(),
                        model().info.typical_norm);
  const double last =
      static_cast<double>(lists - progress.last_improved) * allowed_share(progress, set());
  return stop_score({lists, static_cast<float>(last), scale.key(progress.keys_ahead[check]),
                     scale.distance(progress.top.threshold())});
}

// From slots to ids, whose words are fetched side by side.
void Searcher::name(std::span<std::int64_t> answers, ReadAhead& ahead) const {
  if (set().reads_ahead()) set().ask_for_ids(answers, ahead);
  for (const std::int64_t slot : answers) {
    if (slot >= 0) set().fetch_id(static_cast<std::uint32_t>(slot));
  }
  for (std::int64_t& answer : answers) {
    if (answer >= 0) answer = set().id(static_cast<std::uint32_t>(answer));
  }
}

void Searcher::finish(ActiveQuery& query, float* distances, std::int64_t* ids,
                      SearchScratch& scratch, SearchCounters& counters) const {
  SearchProgress& progress = query.progress;
  if (progress.plan.lists.empty() && !progress.top.full() && progress.lists < set().filled() &&
      !has_no_answer(progress) && !progress.is_over) {
    fill(progress);
    run(query, scratch, counters);
  }
  const Metric metric = model().metric();
  progress.write_answers(metric == Metric::ip ? -kInfinity : 0.0F,
                         metric == Metric::cosine ? 2.0F : kInfinity, distances, ids);
  if (!progress.plan.names_slots) name({ids, progress.plan.k}, scratch.scan.refine.ahead);
  counters.times.lap(Stage::rest);
}

}  // namespace obliq

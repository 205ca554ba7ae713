#include "tools/measure/profile.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "core/kernels/dispatch.h"
#include "index/index_access.h"
#include "index/segment/index_size.h"
#include "tools/describe.h"
#include "tools/measure/instruction_count.h"
#include "tools/measure/searcher.h"
#include "tools/measure/tick_clock.h"
#include "tools/table.h"

namespace obliq::tools {
namespace {

IndexShape shape_of(const IndexStats& stats) {
  IndexShape shape = {stats.n,   stats.dim,   stats.nlist,       stats.quantizer,
                      stats.raw, stats.spill, stats.id_bytes > 0};
  shape.list_groups = stats.list_groups;
  return shape;
}

/// What a stage reads, a sum over the queries.
struct Touched {
  double items = 0;
  double bytes = 0;
};
using AllTouched = std::array<Touched, kStages>;

AllTouched touched(const SearchCounters& counters, const ItemBytes& item) {
  AllTouched all;
  const auto set = [&](Stage stage, std::uint64_t items, double bytes) {
    all[static_cast<std::size_t>(stage)] = {static_cast<double>(items),
                                            static_cast<double>(items) * bytes};
  };
  set(Stage::signs, counters.signs, item.entry);
  const std::size_t centroid = item.centroid + item.point;
  set(Stage::ranks, counters.ranked, static_cast<double>(centroid));
  set(Stage::scan, counters.entries, item.entry);
  set(Stage::refine, counters.refined, static_cast<double>(item.row + item.gathered));
  set(Stage::raw, counters.exact, static_cast<double>(item.raw));
  all[static_cast<std::size_t>(Stage::signs)].bytes +=
      static_cast<double>(counters.groups * item.group);
  all[static_cast<std::size_t>(Stage::refine)].bytes +=
      static_cast<double>(counters.primaries * centroid);
  return all;
}

/// One pass over the queries.
struct Pass {
  std::uint64_t ticks = 0;  // sum, around the calls
  SearchCounters counters;  // sums
};

class Profiler {
 public:
  Profiler(const Index& index, const SearchOptions& options, const Questions& questions)
      : index_(index), options_(options), questions_(questions) {
    options_.threads = 1;
    distances_ = Matrix<float>(questions.queries.rows, options.k);
    ids_ = Matrix<std::int64_t>(questions.queries.rows, options.k);
  }

  Pass pass(std::uint64_t (*clock)()) {
    Pass pass;
    pass.counters.times.clock = clock;
    const std::uint64_t start = ticks();
    for (std::size_t q = 0; q < ids_.rows; ++q) {
      IndexAccess::search(index_, questions_.queries.slice(q, 1), options_, distances_.row(q),
                          ids_.row(q), &pass.counters);
    }
    pass.ticks = ticks() - start;
    return pass;
  }

  double recall() const { return recall_at(ids_.view(), *questions_.truth).strict; }

 private:
  const Index& index_;
  SearchOptions options_;
  const Questions& questions_;
  Matrix<float> distances_;
  Matrix<std::int64_t> ids_;
};

const Pass& fastest(const std::vector<Pass>& passes) {
  return *std::min_element(passes.begin(), passes.end(),
                           [](const Pass& a, const Pass& b) { return a.ticks < b.ticks; });
}

/// The stages of a timed pass; what the clock took is taken out of each.
std::vector<StageProfile> stages_of(const Pass& timed, const IndexStats& stats, double queries,
                                    const TickCost& cost, const std::vector<Bandwidth>& ladder) {
  const double us_per_tick = cost.us_per_tick / queries;
  const StageTimes& times = timed.counters.times;
  const IndexShape shape = shape_of(stats);
  const AllTouched reads = touched(timed.counters, item_bytes(shape));
  const auto structures = stage_structures(shape);
  std::vector<StageProfile> stages;
  double inside = 0;
  double clock = 0;
  for (std::size_t s = 0; s < kStages; ++s) {
    const double us = static_cast<double>(times.ticks[s]) * us_per_tick;
    const double taken =
        std::min(us, static_cast<double>(times.laps[s]) * cost.us_per_lap / queries);
    inside += us;
    clock += taken;
    StageProfile stage = {std::string(to_string(static_cast<Stage>(s))), us - taken};
    stage.count = reads[s].items / queries;
    stage.bytes = reads[s].bytes / queries;
    if (stage.bytes > 0) {
      stage.gb_per_s = bandwidth_for(ladder, structures[s]).gb_per_s;
    }
    stages.push_back(std::move(stage));
  }
  stages.push_back({"call", static_cast<double>(timed.ticks) * us_per_tick - inside});
  stages.push_back({"clock", clock});
  return stages;
}

std::string knob(const SearchOptions& options) {
  return options.target_recall > 0 ? fmt::format("for {}", options.target_recall)
                                   : fmt::format("nprobe {}", options.nprobe.value_or(0));
}

std::string method(const IndexStats& stats) {
  const std::string spill = stats.spill > 0 ? fmt::format(", spill {:.2g}", stats.spill) : "";
  return obliq_method(stats) + spill;
}

}  // namespace

std::array<std::size_t, kStages> stage_structures(const IndexShape& shape) {
  const ItemBytes item = item_bytes(shape);
  std::array<std::size_t, kStages> bytes = {};
  const auto set = [&](Stage stage, std::size_t all) {
    bytes[static_cast<std::size_t>(stage)] = all;
  };
  const auto of_entries = [&](double entries) {
    return static_cast<std::size_t>(item.entry * entries);
  };
  set(Stage::signs, of_entries(static_cast<double>(shape.nlist)));
  set(Stage::ranks, shape.nlist * (item.centroid + item.point));
  set(Stage::scan, of_entries(static_cast<double>(shape.n) * (1 + shape.spill)));
  set(Stage::refine, shape.n * item.row);
  set(Stage::raw, shape.n * item.raw);
  return bytes;
}

Profile profile_search(const Index& index, const SearchOptions& options, const Questions& questions,
                       std::size_t repeat, const std::vector<Bandwidth>& ladder) {
  if (questions.queries.rows == 0) throw std::invalid_argument("the set has no queries");
  Profiler profiler(index, options, questions);
  profiler.pass(nullptr);
  std::vector<Pass> plain;
  std::vector<Pass> timed;
  const InstructionCount instructions;
  std::uint64_t executed = 0;
  for (std::size_t round = 0; round < repeat; ++round) {
    const auto before = instructions.read();
    plain.push_back(profiler.pass(nullptr));
    executed += instructions.read().value_or(0) - before.value_or(0);
    timed.push_back(profiler.pass(ticks));
  }
  const auto queries = static_cast<double>(questions.queries.rows);
  const Pass& best = fastest(timed);
  Profile profile = {method(index.stats()), options, questions.queries.rows, profiler.recall()};
  const TickCost cost = measure_ticks();
  profile.us = static_cast<double>(fastest(plain).ticks) * cost.us_per_tick / queries;
  profile.timed_us = static_cast<double>(best.ticks) * cost.us_per_tick / queries;
  if (executed > 0) {
    profile.instructions = static_cast<double>(executed) / queries / static_cast<double>(repeat);
  }
  profile.counters = best.counters;
  profile.stages = stages_of(best, index.stats(), queries, cost, ladder);
  return profile;
}

nlohmann::ordered_json to_json(const Profile& profile) {
  nlohmann::ordered_json json = {{"method", profile.method}};
  if (profile.options.target_recall > 0) {
    json["target_recall"] = profile.options.target_recall;
  } else {
    json["nprobe"] = profile.options.nprobe.value_or(0);
  }
  const auto queries = static_cast<double>(profile.queries);
  json["k"] = profile.options.k;
  json["recall"] = profile.recall;
  json["us"] = profile.us;
  json["us_with_clocks"] = profile.timed_us;
  json["instructions"] =
      profile.instructions ? nlohmann::ordered_json(*profile.instructions) : nullptr;
  json["lists"] = static_cast<double>(profile.counters.lists) / queries;
  json["queries"] = profile.queries;
  json["simd"] = kernels().name;
  for (const StageProfile& stage : profile.stages) {
    json["stages"].push_back({{"stage", stage.stage},
                              {"us", stage.us},
                              {"count", stage.count},
                              {"bytes", stage.bytes},
                              {"gb_per_s", stage.gb_per_s},
                              {"bound_us", stage.bound_us()}});
  }
  return json;
}

std::string profile_text(const Profile& profile) {
  Table table({{"stage", Align::left},
               {"us"},
               {"share"},
               {"items"},
               {"bytes"},
               {"GB/s there"},
               {"bound us"},
               {"us / bound"}});
  StageProfile total = {"total", profile.timed_us};
  double bound = 0;
  const auto add = [&](const StageProfile& stage, double bound_us) {
    const bool reads = stage.bytes > 0;
    table.add({stage.stage, fmt::format("{:.2f}", stage.us),
               fmt::format("{:.1f} %", 100 * stage.us / profile.timed_us),
               stage.count > 0 ? rate_text(stage.count) : "-", reads ? rate_text(stage.bytes) : "-",
               stage.gb_per_s > 0 ? fmt::format("{:.0f}", stage.gb_per_s) : "-",
               reads ? fmt::format("{:.2f}", bound_us) : "-",
               reads ? fmt::format("{:.1f}", stage.us / bound_us) : "-"});
  };
  for (const StageProfile& stage : profile.stages) {
    add(stage, stage.bound_us());
    total.bytes += stage.bytes;
    bound += stage.bound_us();
  }
  add(total, bound);
  const std::string instructions = profile.instructions
                                       ? rate_text(*profile.instructions) + " instructions"
                                       : "instructions: no counter here";
  return fmt::format(
      "{}, {}: recall@{} {:.4f}, {:.1f} us per query without clocks, {:.1f} lists, {}\n{}",
      profile.method, knob(profile.options), profile.options.k, profile.recall, profile.us,
      static_cast<double>(profile.counters.lists) / static_cast<double>(profile.queries),
      instructions, table.text());
}

std::string bandwidth_text(std::span<const Bandwidth> ladder) {
  std::string text;
  for (const Bandwidth& step : ladder) {
    text += fmt::format("{}{} {:.0f} GB/s", text.empty() ? "" : ", ",
                        bytes_text(static_cast<double>(step.buffer)), step.gb_per_s);
  }
  return text;
}

}  // namespace obliq::tools

#include "tools/measure/profile_run.h"

#include <fmt/core.h>

#include <algorithm>

#include "tools/command.h"
#include "tools/flags.h"
#include "tools/measure/profile.h"
#include "tools/measure/questions.h"
#include "tools/progress_bar.h"

namespace obliq::tools {
namespace {

class Runner {
 public:
  explicit Runner(const ProfileRun& run) : run_(run), ladder_(measure_bandwidth()) {
    if (!run.json) fmt::print("memory that one thread reads: {}\n", bandwidth_text(ladder_));
  }

  void open_index() {
    const Index index = Index::open(run_.index, {.residence = Residence::memory});
    profile(index, read_questions(run_.set, run_.index, index.stats()));
  }

  void build_indexes() {
    const datasets::BenchmarkSet set = datasets::read_set(run_.set);
    for (BuildOptions build : run_.builds) {
      build.metric = set.metric;
      build.progress = bar_.callback();
      profile(Index::build(set.train.view(), build), set);
    }
  }

 private:
  void profile(const Index& index, const datasets::BenchmarkSet& set) {
    const std::size_t all = set.test.rows;
    const std::size_t rows = run_.queries == 0 ? all : std::min(run_.queries, all);
    const datasets::GroundTruth truth = first_rows(set.truth, rows);
    const Questions questions = {set.test.view().slice(0, rows), &truth, set.metric};
    for (const SearchOptions& point : run_.points) {
      report(bar_.callback(), "profiling", 0);
      const Profile found = profile_search(index, point, questions, run_.repeat, ladder_);
      bar_.clear();
      if (run_.json) {
        print_json(to_json(found));
      } else {
        fmt::print("\n{}", profile_text(found));
      }
    }
  }

  const ProfileRun& run_;
  ProgressBar bar_{"bench"};
  std::vector<Bandwidth> ladder_;
};

}  // namespace

int run_profile(const ProfileRun& run) {
  Runner runner(run);
  if (run.index.empty()) {
    runner.build_indexes();
  } else {
    runner.open_index();
  }
  return kOk;
}

}  // namespace obliq::tools

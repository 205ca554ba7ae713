// obliq eval: recall and speed of an index by default and over a range of nprobe or target recalls,
// on the queries and the ground truth of an ann-benchmarks set.
#include <fmt/core.h>

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "datasets/dataset.h"
#include "obliq/index.h"
#include "tools/command.h"
#include "tools/flags.h"
#include "tools/measure/questions.h"
#include "tools/measure/searcher.h"
#include "tools/measure/sweep.h"
#include "tools/progress_bar.h"
#include "tools/searched.h"

namespace obliq::tools {
namespace {

constexpr std::size_t kLastNprobe = 256;

class Eval final : public Command {
 public:
  void add_flags(CLI::App& app) override {
    app.add_option("index", index_, "Index or collection; with --segment a model")->required();
    app.add_option("set", set_, "ann-benchmarks set (.hdf5) with queries and ground truth")
        ->required();
    add_segments(app, segments_);
    app.add_option("-k", options_.k, "Neighbours per query")
        ->check(positive_count())
        ->capture_default_str();
    add_nprobe_list(app, nprobe_);
    app.add_option("--target-recall", target_recall_,
                   "Recalls to aim at, with commas, after the --nprobe that are given")
        ->delimiter(',');
    add_confidence(app, confidence_);
    app.add_flag("--batch", batch_, "All queries in one call; default: one query per call");
    add_batch_order(app, batch_order_);
    app.add_flag("--mapped", mapped_, "Search the mapped file; default: read it into memory first");
    app.add_option("--repeat", options_.repeat, "Timed rounds; QPS is their median")
        ->check(positive_count())
        ->capture_default_str();
    add_threads(app, options_.threads, "Threads; without --batch, callers side by side");
    add_json(app, json_);
  }

  int run() override {
    const Residence residence = mapped_ ? Residence::mapped : Residence::memory;
    Searched index = Searched::open(index_, segments_, {.residence = residence});
    const IndexStats stats = index.stats();
    const datasets::BenchmarkSet set = read_questions(set_, index_, stats);
    options_.mode = batch_ ? Mode::batch : Mode::single;
    const auto searcher = make_searcher(std::move(index));
    searcher->set_batch_order(parse_batch_order(batch_order_));
    Contestant contestant{searcher.get(), nprobe_, target_recall_};
    if (target_recall_.empty()) {
      contestant.by_default = nprobe_.empty();
      contestant.nprobe = resolve_nprobe(nprobe_, stats.nlist, kLastNprobe);
    }
    const std::array contestants = {contestant};
    ProgressBar bar("eval");
    const auto points =
        sweep(contestants, {set.test.view(), &set.truth, set.metric}, options_, bar.callback());
    bar.clear();
    if (!json_) fmt::print("{}", points_table(points));
    for (const Point& point : points) {
      if (json_) print_json(to_json(point));
    }
    return kOk;
  }

 private:
  /// A collection is always mapped.
  std::unique_ptr<Searcher> make_searcher(Searched index) const {
    if (index.index() == nullptr) return make_collection_searcher(std::move(index), confidence_);
    return make_obliq_searcher(std::move(*index.index()), confidence_);
  }

  std::string index_;
  std::vector<std::string> segments_;
  std::string set_;
  std::vector<std::size_t> nprobe_;
  std::vector<double> target_recall_;
  float confidence_ = SearchOptions{}.confidence;
  std::string batch_order_ = to_string(BatchOrder::automatic);
  SweepOptions options_;
  bool batch_ = false;
  bool mapped_ = false;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_eval() { return std::make_unique<Eval>(); }

}  // namespace obliq::tools

// obliq eval: recall and speed of an index by default and over a range of nprobe or target recalls,
// on the queries and the ground truth of an ann-benchmarks set, under a filter beside the exact
// neighbours that pass it; or average precision and speed of a range search.
#include <fmt/core.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "datasets/dataset.h"
#include "datasets/range_truth.h"
#include "obliq/index.h"
#include "tools/command.h"
#include "tools/filter_flags.h"
#include "tools/flags.h"
#include "tools/inputs.h"
#include "tools/measure/filtered_truth.h"
#include "tools/measure/questions.h"
#include "tools/measure/range_point.h"
#include "tools/measure/searcher.h"
#include "tools/measure/sweep.h"
#include "tools/progress_bar.h"
#include "tools/range_flags.h"
#include "tools/searched.h"

namespace obliq::tools {
namespace {

constexpr std::size_t kLastNprobe = 256;

class Eval final : public Command {
 public:
  void add_flags(CLI::App& app) override {
    app.add_option("index", index_, "Index or collection; with --segment a model")->required();
    app.add_option("set", set_,
                   "ann-benchmarks set (.hdf5) with queries and ground truth; with --radius "
                   "queries in a file of any format")
        ->required();
    add_segments(app, segments_);
    app.add_option("-k", options_.k, "Neighbours per query")
        ->check(positive_count())
        ->capture_default_str();
    add_nprobe_list(app, nprobe_);
    auto* target = app.add_option("--target-recall", target_recall_,
                                  "Recalls to aim at, with commas, after the --nprobe that are "
                                  "given")
                       ->delimiter(',');
    auto* radius = range_.add_flags_but_confidence(app)->excludes(target);
    app.add_option("--truth", truth_,
                   "Truth of the range search: a file of big-ann, or what range-search -o wrote; "
                   "without it speed alone is measured")
        ->check(file_name())
        ->needs(radius);
    app.add_option("--confidence", confidence_,
                   fmt::format("Probability that a true neighbour passes a bound, in (0, 1]; 1 "
                               "prunes nothing; default: {}, with --radius {}",
                               SearchOptions{}.confidence, RangeSearchOptions{}.confidence))
        ->check(number_between(0.0, 1.0));
    filter_.add_flags(app);
    inputs_.add_format(app);
    app.add_flag("--batch", batch_, "All queries in one call; default: one query per call");
    add_batch_order(app, batch_order_);
    add_residence(app);
    app.add_option("--repeat", options_.repeat, "Timed rounds; QPS is their median")
        ->check(positive_count())
        ->capture_default_str();
    add_threads(app, options_.threads, "Threads; without --batch, callers side by side");
    add_json(app, json_);
  }

  int run() override {
    const Residence residence = mapped_ ? Residence::mapped : Residence::memory;
    Searched index =
        Searched::open(index_, segments_, {.residence = residence, .read_ahead = read_ahead_});
    settle_inputs();
    const auto filter = filter_.read(inputs_, index.has_keys());
    if (range_.is_given()) return measure_radius(index, filter);
    const IndexStats stats = index.stats();
    datasets::BenchmarkSet set = read_questions(set_, index_, stats);
    ProgressBar bar("eval");
    if (filter) set.truth = truth_under(index, *filter, set, bar.callback());
    options_.mode = batch_ ? Mode::batch : Mode::single;
    const auto searcher = make_searcher(std::move(index));
    if (filter) searcher->set_filter(*filter);
    searcher->set_batch_order(parse_batch_order(batch_order_));
    Contestant contestant{searcher.get(), nprobe_, target_recall_};
    if (target_recall_.empty()) {
      contestant.by_default = nprobe_.empty();
      contestant.nprobe = resolve_nprobe(nprobe_, stats.nlist, kLastNprobe);
    }
    const std::array contestants = {contestant};
    const auto points =
        sweep(contestants, {set.test.view(), &set.truth, set.metric}, options_, bar.callback());
    bar.clear();
    print(points);
    return kOk;
  }

 private:
  void add_residence(CLI::App& app) {
    auto* mapped = app.add_flag("--mapped", mapped_,
                                "Search the mapped file; default: read it into memory first");
    app.add_flag("--read-ahead", read_ahead_,
                 "Ask the disk for what a search is about to read: for files larger than memory")
        ->needs(mapped);
  }
  void print(const std::vector<Point>& points) const {
    if (!json_) fmt::print("{}", points_table(points));
    if (!json_ && allowed_) fmt::print("{} vectors pass the filter\n", *allowed_);
    for (const Point& point : points) {
      if (!json_) continue;
      nlohmann::ordered_json json = to_json(point);
      if (allowed_) json["allowed"] = *allowed_;
      print_json(json);
    }
  }

  void settle_inputs() {
    std::vector<std::string> files = filter_.files();
    files.push_back(set_);
    inputs_.settle(files);
  }

  datasets::GroundTruth truth_under(const Searched& index, const Filter& filter,
                                    const datasets::BenchmarkSet& set, const Progress& progress) {
    const auto allowed = allowed_ids(index, filter);
    allowed_ = allowed.size();
    return filtered_truth(*datasets::open_vectors(set_, "train"), allowed, set.test.view(),
                          options_.k, set.metric, progress);
  }

  int measure_radius(const Searched& index, const std::optional<Filter>& filter) {
    RangeSearchOptions options = range_.options();
    options.filter = filter;
    options.confidence = confidence_.value_or(options.confidence);
    options.threads = options_.threads;
    std::optional<datasets::RangeAnswers> truth;
    if (!truth_.empty()) truth = datasets::read_range_truth(truth_);
    const Matrix<float> queries = inputs_.read(set_, "test");
    ProgressBar bar("eval");
    const RangePoint point =
        measure_range(index, queries.view(), range_.radius(), options, truth ? &*truth : nullptr,
                      options_.repeat, bar.callback());
    bar.clear();
    if (json_) {
      print_json(to_json(point));
    } else {
      fmt::print("{}", range_table(point));
    }
    return kOk;
  }

  /// A collection is always mapped.
  std::unique_ptr<Searcher> make_searcher(Searched index) const {
    const float confidence = confidence_.value_or(SearchOptions{}.confidence);
    if (index.index() == nullptr) return make_collection_searcher(std::move(index), confidence);
    return make_obliq_searcher(std::move(*index.index()), confidence);
  }

  std::string index_;
  std::vector<std::string> segments_;
  std::string set_;
  std::vector<std::size_t> nprobe_;
  std::vector<double> target_recall_;
  std::optional<float> confidence_;
  RangeFlags range_;
  std::string truth_;
  FilterFlags filter_;
  Inputs inputs_;
  std::optional<std::size_t> allowed_;  // by the filter
  std::string batch_order_ = to_string(BatchOrder::automatic);
  SweepOptions options_;
  bool batch_ = false;
  bool mapped_ = false;
  bool read_ahead_ = false;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_eval() { return std::make_unique<Eval>(); }

}  // namespace obliq::tools

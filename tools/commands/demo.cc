// obliq demo: all steps on one set. Builds two indexes, shows what some queries find, measures
// recall and speed beside FAISS product quantization, and draws the chart.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <stdexcept>

#include "index/open_written.h"
#include "obliq/index.h"
#include "tools/command.h"
#include "tools/describe.h"
#include "tools/flags.h"
#include "tools/interrupt.h"
#include "tools/measure/chart.h"
#include "tools/measure/contest.h"
#include "tools/measure/faiss_peer.h"
#include "tools/measure/tradeoff.h"
#include "tools/neighbours.h"
#include "tools/outputs.h"
#include "tools/progress_bar.h"

namespace obliq::tools {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSampleFile = "datasets/sample/sample-384-angular.hdf5";
constexpr std::size_t kShownNeighbours = 5;

/// FAISS indexes that are quick to build: the code bytes of sq8, those of lm4, and a refine step.
std::vector<std::string> quick_faiss_specs(std::size_t dim) {
  std::vector<std::string> specs = {"SQ8", fmt::format("PQ{}x4fs", dim)};
  if (dim % 4 == 0) specs.push_back(fmt::format("PQ{}x4fs,Refine(SQ8)", dim / 4));
  return specs;
}

class Demo final : public Command {
 public:
  void add_flags(CLI::App& app) override {
    app.add_option("--data", data_,
                   "ann-benchmarks set (.hdf5); default: the sample of the "
                   "source tree");
    app.add_option("--out", out_, "Folder for indexes, results and chart; made when missing")
        ->capture_default_str();
    app.add_option("--specs", specs_, "Quantizers to build, with commas")
        ->delimiter(',')
        ->capture_default_str();
    app.add_option("--against", against_, "Peer to compare with; none measures obliq alone")
        ->check(CLI::IsMember({"faiss", "none"}))
        ->capture_default_str();
    app.add_option("--show", show_, "Queries to show")->capture_default_str();
    app.add_option("--queries", queries_, "Queries to measure with (0: all)")
        ->capture_default_str();
    app.add_option("-k", sweep_.k, "Neighbours per query")
        ->check(positive_count())
        ->capture_default_str();
    app.add_option("--repeat", sweep_.repeat, "Timed rounds; QPS is their median")
        ->check(positive_count())
        ->capture_default_str();
    add_threads(app, threads_, "Threads of the builds; searches are timed on one");
    add_seed(app, seed_);
  }

  int run() override {
    if (data_.empty()) data_ = sample();
    std::vector<std::string> outputs = {results_path(), chart_path()};
    for (const std::string& spec : specs_) outputs.push_back(index_path(spec));
    check_outputs(outputs, {data_});
    fs::create_directories(out_);
    ProgressBar bar("demo");
    datasets::BenchmarkSet set = datasets::read_set(data_);
    fmt::print("{}: {} vectors of dim {}, {} queries, {}\n\n", data_, set.train.rows,
               set.train.cols, set.test.rows, to_string(set.metric));
    const std::size_t nlist = build(set, bar);
    show_queries(set);
    const std::vector<Point> points = compare(set, nlist, bar);
    bar.clear();
    fmt::print("recall and speed on one thread, one query per call, {} lists\n{}\n{}\n", nlist,
               points_table(points, Detail::few), tradeoff_table(points));
    if (with_faiss() && !has_faiss()) {
      fmt::print("(built without FAISS: install libfaiss-dev to compare)\n");
    }
    const std::string results = results_path();
    nlohmann::ordered_json common = {{"dataset", fs::path(data_).stem().string()},
                                     {"n", set.train.rows},
                                     {"dim", set.train.cols},
                                     {"nlist", nlist}};
    common.update(measured_on());
    write_json_lines(results, points, common);
    fmt::print("results: {}\n{}\n", results, draw_chart(results, chart_path(), sweep_));
    return kOk;
  }

 private:
  static std::string sample() {
    const auto found = find_project_file(kSampleFile);
    if (!found) throw std::invalid_argument("no sample near this program: give --data FILE");
    return *found;
  }

  bool with_faiss() const { return against_ == "faiss"; }

  std::string results_path() const { return (fs::path(out_) / "results.jsonl").string(); }
  std::string chart_path() const { return (fs::path(out_) / "chart.png").string(); }

  static void save(const Index& index, const std::string& path) {
    const HoldInterrupts held;
    index.save(path);
  }

  std::string index_path(const std::string& spec) const {
    std::string name = spec;
    std::replace(name.begin(), name.end(), ':', '_');
    return (fs::path(out_) / (name + ".obliq")).string();
  }

  /// Builds and saves an index for each spec. Returns their nlist.
  std::size_t build(const datasets::BenchmarkSet& set, ProgressBar& bar) {
    std::size_t nlist = 0;
    for (const std::string& spec : specs_) {
      BuildOptions options;
      options.metric = set.metric;
      options.quantizer = spec;
      options.threads = threads_;
      options.seed = seed_;
      options.progress = bar.callback();
      const auto start = std::chrono::steady_clock::now();
      const Index index = Index::build(set.train.view(), options);
      const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
      save(index, index_path(spec));
      build_seconds_.push_back(seconds.count());
      bar.clear();
      const IndexStats stats = open_written(index_path(spec)).stats();
      fmt::print("built {}: {} (in {:.2f} s)\n", index_path(spec), stats_line(stats),
                 seconds.count());
      nlist = stats.nlist;
    }
    fmt::print("\n");
    return nlist;
  }

  void show_queries(const datasets::BenchmarkSet& set) const {
    const Index index = Index::open(index_path(specs_.front()));
    SearchOptions options;
    options.k = kShownNeighbours;
    const std::size_t count = std::min(show_, set.test.rows);
    const SearchResult result = index.search(set.test.view().slice(0, count), options);
    const Labels labels{set.train_labels, set.test_labels};
    for (std::size_t q = 0; q < count; ++q) {
      fmt::print("{}\n", neighbours_text(result, q, kShownNeighbours, labels));
    }
  }

  std::vector<Point> compare(datasets::BenchmarkSet& set, std::size_t nlist, ProgressBar& bar) {
    ContestOptions options;
    options.nlist = nlist;
    options.seed = seed_;
    options.build_threads = 1;  // FAISS's many short parallel loops crawl on a busy machine
    options.nprobe = resolve_nprobe({}, nlist, 64);
    const Progress progress = bar.callback();
    Contest contest(set, options);
    const OpenOptions memory = {.residence = Residence::memory};
    for (std::size_t i = 0; i < specs_.size(); ++i) {
      contest.add(make_obliq_searcher(Index::open(index_path(specs_[i]), memory),
                                      options.confidence, build_seconds_[i]));
    }
    if (with_faiss() && has_faiss()) {
      contest.share_centroids(progress);
      for (const auto& spec : quick_faiss_specs(set.train.cols)) contest.add_faiss(spec, progress);
    }
    return contest.run(sweep_, queries_, progress);
  }

  std::string data_;
  std::string against_ = "faiss";
  std::string out_ = "obliq-demo";
  std::vector<std::string> specs_ = {"lm4", "sq8"};
  std::vector<double> build_seconds_;
  std::size_t show_ = 3;
  std::size_t queries_ = 250;
  int threads_ = 0;
  std::uint64_t seed_ = 1;
  SweepOptions sweep_{10, Mode::single, 1, 3};
};

}  // namespace

std::unique_ptr<Command> make_demo() { return std::make_unique<Demo>(); }

}  // namespace obliq::tools

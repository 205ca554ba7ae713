// obliq bench: recall against speed for obliq's quantizers and FAISS's IVF indexes on one set, with
// the same centroids, one thread, one query per call and (with --batch) all in one call. With
// --profile: where the time of obliq's queries goes.
#include <fmt/core.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>

#include "tools/command.h"
#include "tools/flags.h"
#include "tools/measure/chart.h"
#include "tools/measure/contest.h"
#include "tools/measure/faiss_peer.h"
#include "tools/measure/profile_run.h"
#include "tools/measure/tradeoff.h"
#include "tools/outputs.h"
#include "tools/progress_bar.h"

namespace obliq::tools {
namespace {

class Bench final : public Command {
 public:
  void add_flags(CLI::App& app) override {
    app.add_option("set", set_, "ann-benchmarks set (.hdf5)")->required();
    app.add_option("--against", against_, "Peer to compare with")->check(CLI::IsMember({"faiss"}));
    app.add_option("--specs", specs_, "obliq quantizers, with commas")
        ->delimiter(',')
        ->capture_default_str();
    app.add_option(
        "--faiss-spec", faiss_specs_,
        "FAISS factory string after 'IVF<nlist>,'; may be repeated; default: Flat, SQ8, "
        "and PQ of 4 bits with fast-scan at 2 and 4 bits per dimension, the former with SQ8 "
        "refine, too");
    app.add_option("--out", out_, "Write JSON lines to this file");
    app.add_option("--plot", plot_, "Draw the chart as this PNG (needs --out)");
    app.add_option("--mode", mode_, "single: one query per call; batch: all in one; both")
        ->check(CLI::IsMember({"single", "batch", "both"}))
        ->capture_default_str();
    app.add_option("--queries", queries_, "Only the first queries (0: all)")->capture_default_str();
    add_profile_flags(app);
    add_measuring_flags(app);
    add_json(app, json_);
  }

  int run() override {
    check_flags();
    if (profile_) return run_profile(profile_run());
    ProgressBar bar("bench");
    const Progress progress = bar.callback();
    report(progress, "reading", 0);
    datasets::BenchmarkSet set = datasets::read_set(set_);
    options_.nlist = parse_nlist(nlist_);
    Contest contest(set, options_);
    contest.share_centroids(progress);
    for (const std::string& spec : specs_) contest.add_obliq(spec, progress);
    add_faiss(contest, set.train.cols, progress);
    const std::vector<Point> points = measure(contest, progress);
    bar.clear();
    print(points, set, contest.nlist());
    return kOk;
  }

 private:
  void add_measuring_flags(CLI::App& app) {
    app.add_option("-k", sweep_.k, "Neighbours per query")
        ->check(positive_count())
        ->capture_default_str();
    add_nprobe_list(app, options_.nprobe);
    add_confidence(app, options_.confidence);
    app.add_option("--nlist", nlist_, "Inverted lists, or auto: about 4 sqrt(n)")
        ->capture_default_str();
    app.add_option("--raw", raw_, "Exact vectors that obliq keeps: none, fp16, fp32")
        ->check(CLI::IsMember({"none", "fp16", "fp32"}))
        ->capture_default_str();
    app.add_option("--k-factor", options_.k_factor, "Candidates of FAISS's refine step, times k")
        ->check(number_between(1.0, 1e6))
        ->capture_default_str();
    app.add_option("--repeat", sweep_.repeat, "Timed rounds; QPS is their median")
        ->check(positive_count())
        ->capture_default_str();
    add_threads(app, sweep_.threads, "Threads of the searches; builds use all cores");
    add_seed(app, options_.seed);
  }

  void add_profile_flags(CLI::App& app) {
    auto* profile = app.add_flag("--profile", profile_,
                                 "Show microseconds and bytes of every stage of a query instead");
    app.add_option("--index", index_, "Index to profile; default: build those of --specs")
        ->needs(profile);
    app.add_option("--spill", spill_,
                   "Share of vectors with a second entry, in indexes that are built")
        ->needs(profile);
    app.add_option("--target-recall", target_recall_,
                   "Recalls to profile at, with commas; default, without --nprobe: .9,.95,.99")
        ->delimiter(',')
        ->needs(profile);
  }

  void check_flags() {
    options_.raw = parse_raw_tier(raw_);
    if (!against_.empty()) need_faiss();
    if (!plot_.empty() && out_.empty()) {
      throw std::invalid_argument("--plot draws from the JSON lines: give --out FILE too");
    }
    std::vector<std::string> outputs;
    for (const std::string& output : {out_, plot_}) {
      if (!output.empty()) outputs.push_back(output);
    }
    check_outputs(outputs, {set_, index_});
    if (!out_.empty()) refuse_foreign_suffix(out_, "JSON lines");
    if (!plot_.empty()) require_suffix(plot_, {".png"}, "a chart");
    if (against_.empty() && !faiss_specs_.empty()) {
      throw std::invalid_argument("--faiss-spec needs --against faiss");
    }
  }

  /// FAISS trains for seconds to minutes: where no progress bar is drawn, a line tells of each.
  void add_faiss(Contest& contest, std::size_t dim, const Progress& progress) const {
    if (against_.empty()) return;
    const auto specs = faiss_specs_.empty() ? default_faiss_specs(dim) : faiss_specs_;
    const bool told = isatty(STDERR_FILENO) == 1;
    for (std::size_t i = 0; i < specs.size(); ++i) {
      if (!told) {
        fmt::print(stderr, "bench: building faiss IVF,{} ({} of {})\n", specs[i], i + 1,
                   specs.size());
      }
      contest.add_faiss(specs[i], progress);
    }
    if (!told) fmt::print(stderr, "bench: measuring\n");
  }

  ProfileRun profile_run() const {
    ProfileRun run = {set_, index_, {}, {}, queries_, sweep_.repeat, json_};
    for (const std::string& spec : specs_) {
      BuildOptions build{.quantizer = spec, .nlist = parse_nlist(nlist_), .raw = options_.raw};
      build.spill = spill_;
      build.seed = options_.seed;
      run.builds.push_back(build);
    }
    const SearchOptions common{.k = sweep_.k, .confidence = options_.confidence};
    const auto add = [&](auto option, auto values) {
      for (const auto value : values) (run.points.emplace_back(common)).*option = value;
    };
    add(&SearchOptions::nprobe, options_.nprobe);
    add(&SearchOptions::target_recall, target_recall_);
    if (run.points.empty()) add(&SearchOptions::target_recall, std::vector{0.9, 0.95, 0.99});
    return run;
  }

  std::vector<Point> measure(const Contest& contest, const Progress& progress) {
    std::vector<Point> points;
    for (const Mode mode : {Mode::single, Mode::batch}) {
      if (mode_ != "both" && (mode_ == "single") != (mode == Mode::single)) continue;
      sweep_.mode = mode;
      const auto more = contest.run(sweep_, queries_, progress);
      points.insert(points.end(), more.begin(), more.end());
    }
    return points;
  }

  void print(const std::vector<Point>& points, const datasets::BenchmarkSet& set,
             std::size_t nlist) const {
    const std::string dataset = std::filesystem::path(set_).stem().string();
    nlohmann::ordered_json common = {
        {"dataset", dataset}, {"n", set.train.rows}, {"dim", set.train.cols}, {"nlist", nlist}};
    common.update(measured_on());
    if (!out_.empty()) write_json_lines(out_, points, common);
    SweepOptions drawn = sweep_;
    drawn.mode = mode_ == "batch" ? Mode::batch : Mode::single;
    const std::string chart = plot_.empty() ? "" : draw_chart(out_, plot_, drawn);
    if (json_) {
      for (const Point& point : points) {
        nlohmann::ordered_json json = to_json(point);
        json.update(common);
        print_json(json);
      }
      if (!chart.empty()) fmt::print(stderr, "obliq bench: {}\n", chart);
      return;
    }
    fmt::print("{}: {} x {}, {}, {} lists, the same centroids for all\n\n{}\n{}", dataset,
               set.train.rows, set.train.cols, to_string(set.metric), nlist, points_table(points),
               tradeoff_table(points));
    if (!chart.empty()) fmt::print("\n{}\n", chart);
  }

  std::string set_;
  std::string against_;
  std::string out_;
  std::string plot_;
  std::string mode_ = "single";
  std::string nlist_ = "auto";
  std::string raw_ = "none";
  std::string index_;
  std::vector<std::string> specs_ = {"lm2", "lm4", "sq8"};
  std::vector<std::string> faiss_specs_;
  std::vector<double> target_recall_;
  double spill_ = 0;
  std::size_t queries_ = 0;
  ContestOptions options_;
  SweepOptions sweep_;
  bool profile_ = false;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_bench() { return std::make_unique<Bench>(); }

}  // namespace obliq::tools

// obliq build: an index from a file of vectors. A preset only sets --quantizer, --raw and --spill;
// a flag that is given besides wins (choose_codes).
#include <fmt/core.h>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "index/open_written.h"
#include "obliq/index.h"
#include "tools/command.h"
#include "tools/describe.h"
#include "tools/flags.h"
#include "tools/inputs.h"
#include "tools/interrupt.h"
#include "tools/outputs.h"
#include "tools/progress_bar.h"

namespace obliq::tools {
namespace {

std::vector<std::string> preset_names() {
  std::vector<std::string> names;
  for (const Preset& preset : presets()) names.emplace_back(preset.name);
  return names;
}

/// "fast: sq8, spill 0.5; ...; exact: sq8 with raw fp32, spill 0.5"
std::string describe_presets() {
  std::string text;
  for (const Preset& preset : presets()) {
    text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", preset.name, preset.quantizer);
    if (preset.raw != RawTier::none) text += fmt::format(" with raw {}", to_string(preset.raw));
    if (preset.spill > 0) text += fmt::format(", spill {}", preset.spill);
  }
  return text;
}

class Build final : public Command {
 public:
  void add_flags(CLI::App& app) override {
    app.add_option("base", base_, "Base vectors; HDF5: FILE:dataset, default train")->required();
    app.add_option("-o,--output", output_, "Index to write")->required();
    add_code_flags(app);
    app.add_option("--nlist", nlist_, "Inverted lists, or auto: about 4 sqrt(n)")
        ->capture_default_str();
    app.add_option("--list-groups", options_.list_groups,
                   "Groups of lists, the nearest of which a search looks at before it ranks lists; "
                   "0: 4 sqrt(nlist) from 32,768 lists on, none below; 1: none; at most one group "
                   "per list")
        ->check(count_or_zero())
        ->capture_default_str();
    add_input_flags(app);
    app.add_option("--kmeans-iterations", options_.kmeans_iterations, "Iterations of k-means")
        ->check(count_or_zero())
        ->capture_default_str();
    app.add_option("--kmeans-points", options_.kmeans_points, "Training vectors per list, at most")
        ->check(positive_count())
        ->capture_default_str();
    app.add_flag("!--no-tune", options_.tune,
                 "Do not calibrate target recalls (obliq tune does so later)");
    app.add_option(
           "--max-memory", options_.max_memory,
           "Memory that the build may take, as 2GB or 500MB; the rest is staged in temporary "
           "files")
        ->transform(CLI::AsSizeValue(true));
    add_metric(app, metric_, "that of BASE when it is an HDF5 set, else l2");
    add_seed(app, options_.seed);
    add_threads(app, options_.threads, "Threads to use; the index does not depend on them");
    add_json(app, json_);
  }

  int run() override {
    check_outputs({output_}, {base_, centroids_, train_queries_, ids_});
    inputs_.settle({base_, centroids_, train_queries_, ids_});
    refuse_foreign_suffix(output_, "an index");
    fill_options();
    const auto base = inputs_.open(base_, "train");
    const auto centroids = inputs_.read(centroids_, "centroids");
    const auto train_queries = inputs_.read(train_queries_, "learn_queries");
    const auto ids = read_ids();
    options_.centroids = centroids.view();
    options_.train_queries = train_queries.view();
    options_.ids = ids.view();
    ProgressBar bar("build");
    options_.progress = bar.callback();
    const auto start = std::chrono::steady_clock::now();
    write(*base);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    bar.clear();
    if (!is_stream(output_)) print(open_written(output_).stats(), seconds.count());
    return kOk;
  }

 private:
  void write(const VectorSource& base) const {
    const HoldInterrupts held;
    Index::build_file(base, output_, options_);
  }

  void add_input_flags(CLI::App& app) {
    app.add_option("--centroids", centroids_, "Vectors to use as centroids instead of k-means")
        ->check(file_name());
    app.add_option(
           "--train-queries", train_queries_,
           "Queries to learn from for quantizers that learn (':query'); HDF5: FILE:dataset, "
           "default learn_queries, else learn; without them base vectors stand in")
        ->check(file_name());
    app.add_option("--ids", ids_,
                   "64-bit ids, one per vector, all different, none -1; default: the position in "
                   "BASE")
        ->check(file_name());
    inputs_.add_format(app);
  }

  void add_code_flags(CLI::App& app) {
    app.add_option("--quantizer", quantizer_,
                   "Quantizer spec: sq8, lm4, ...; default: the preset's");
    app.add_option("--preset", preset_,
                   describe_presets() +
                       " (--quantizer, --raw and --spill override it); default: fast, "
                       "unless --quantizer is given")
        ->check(CLI::IsMember(preset_names()));
    app.add_option("--raw", raw_,
                   "Exact vectors kept beside the codes: none, fp16, fp32; "
                   "default: the preset's")
        ->check(CLI::IsMember({"none", "fp16", "fp32"}));
    app.add_option("--spill", spill_,
                   "Share of vectors with an entry in a second list: 0, .5, 1 or between; "
                   "default: the preset's, 0 with --quantizer alone");
  }

  void fill_options() {
    std::optional<RawTier> raw;
    if (!raw_.empty()) raw = parse_raw_tier(raw_);
    const Preset codes = choose_codes(preset_, quantizer_, raw, spill_);
    options_.quantizer = codes.quantizer;
    options_.raw = codes.raw;
    options_.spill = codes.spill;
    options_.nlist = parse_nlist(nlist_);
    options_.metric = inputs_.metric(metric_, base_);
  }

  Matrix<std::int64_t> read_ids() const {
    if (ids_.empty()) return {};
    Matrix<std::int64_t> ids = inputs_.read_ids(ids_, "ids");
    if (ids.cols == 1) return ids;
    throw std::invalid_argument(
        fmt::format("{}: ids are one per vector, not {} rows of {}", ids_, ids.rows, ids.cols));
  }

  void print(const IndexStats& stats, double seconds) const {
    if (json_) {
      nlohmann::ordered_json json = stats_json(stats);
      json["output"] = output_;
      json["build_seconds"] = seconds;
      return print_json(json);
    }
    fmt::print("{}: {} (built in {:.2f} s)\n", output_, stats_line(stats), seconds);
  }

  std::string base_;
  std::string output_;
  std::string quantizer_;
  std::string preset_;
  std::string raw_;
  std::optional<double> spill_;
  std::string nlist_ = "auto";
  std::string centroids_;
  std::string train_queries_;
  std::string ids_;
  std::string metric_;
  Inputs inputs_;
  BuildOptions options_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_build() { return std::make_unique<Build>(); }

}  // namespace obliq::tools

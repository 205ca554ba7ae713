// obliq search: the nearest neighbours of queries in an index or a collection, for people (a table
// per query), for programs (JSON lines) or for the ann-benchmarks tools (a result file).
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "datasets/dataset.h"
#include "obliq/index.h"
#include "tools/command.h"
#include "tools/filter_flags.h"
#include "tools/flags.h"
#include "tools/inputs.h"
#include "tools/interrupt.h"
#include "tools/measure/searcher.h"
#include "tools/neighbours.h"
#include "tools/outputs.h"
#include "tools/searched.h"

namespace obliq::tools {
namespace {

class Search final : public Command {
 public:
  void add_flags(CLI::App& app) override {
    add_searched(app, index_, queries_, segments_);
    app.add_option("-k", options_.k, "Neighbours per query")
        ->check(positive_count())
        ->capture_default_str();
    app.add_option("--nprobe", options_.nprobe,
                   "Lists to scan, more where they hold fewer than k vectors; with --target-recall "
                   "the most that a query scans")
        ->check(positive_count());
    app.add_option("--target-recall", options_.target_recall,
                   "Mean recall@k to reach, in (0, 1), as calibrated by build or tune; default, "
                   "without --nprobe: .96 of what all lists give, at most .95");
    add_confidence(app, options_.confidence);
    app.add_option("--limit", limit_, "Only the first queries (0: all)")->capture_default_str();
    auto* output = app.add_option("-o,--output", output_,
                                  "Write an ann-benchmarks result file (.hdf5) instead")
                       ->check(file_name());
    app.add_flag("--explain", explain_,
                 "Tell of each query the lists and entries scanned, the rows refined, the raw "
                 "vectors compared, and why no further list was scanned")
        ->excludes(output);
    filter_.add_flags(app);
    app.add_option("--return-columns", columns_,
                   "Columns whose values to show with the answers, with commas")
        ->delimiter(',')
        ->allow_extra_args(false)
        ->excludes(output);
    app.add_flag("--read-ahead", read_ahead_,
                 "Ask the disk for what a search is about to read: for files larger than memory");
    inputs_.add_format(app);
    add_threads(app, options_.threads, "Threads to use; the answers do not depend on them");
    add_json(app, json_);
  }

  int run() override {
    if (!output_.empty()) {
      std::vector<std::string> files = segments_;
      files.insert(files.end(), {index_, queries_});
      for (const std::string& file : filter_.files()) files.push_back(file);
      check_outputs({output_}, files);
      require_suffix(output_, {".hdf5", ".h5"}, "results");
    }
    settle_inputs();
    const Searched index = Searched::open(index_, segments_, {.read_ahead = read_ahead_});
    options_.filter = filter_.read(inputs_, index.has_keys());
    options_.columns = columns_;
    if (index.has_keys() && !output_.empty()) {
      throw std::invalid_argument(
          "a result file holds numbers, and the ids of the collection are "
          "strings: leave out --output, or search an exported index");
    }
    // Answers beyond the vectors there are take no memory; a result file has columns for them.
    if (output_.empty())
      options_.k = std::min(options_.k, std::max<std::size_t>(index.stats().n, 1));
    const datasets::BenchmarkSet set = inputs_.read_queries(queries_);
    const std::size_t count = limit_ == 0 ? set.test.rows : std::min(limit_, set.test.rows);
    std::vector<SearchExplanation> work;
    if (explain_) options_.explain = &work;
    const auto start = std::chrono::steady_clock::now();
    std::vector<std::string> keys;
    const SearchResult result = answers(index, set.test.view().slice(0, count), keys);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    if (!output_.empty()) {
      write(index.stats(), result, seconds.count());
      if (json_) {
        print_json({{"output", output_}, {"queries", count}, {"k", options_.k}}, beside(output_));
      }
      return kOk;
    }
    const auto labels = index.has_keys() ? std::span<const std::string>() : set.train_labels;
    print(result, work, {labels, set.test_labels, keys});
    return kOk;
  }

 private:
  void settle_inputs() {
    std::vector<std::string> files = filter_.files();
    files.push_back(queries_);
    inputs_.settle(files);
  }

  /// Where ids are strings they go to `keys`, [queries][k]; -1 still stands for no answer.
  SearchResult answers(const Searched& index, MatrixView<float> queries,
                       std::vector<std::string>& keys) const {
    if (!index.has_keys()) return index.search(queries, options_);
    KeyedSearchResult found = index.search_keys(queries, options_);
    keys = std::move(found.keys.values);
    SearchResult result{std::move(found.distances),
                        Matrix<std::int64_t>(found.keys.rows, found.keys.cols),
                        std::move(found.columns)};
    std::transform(keys.begin(), keys.end(), result.ids.values.begin(),
                   [](const std::string& key) { return key.empty() ? -1 : 0; });
    return result;
  }

  /// `work`: of each query, or empty.
  void print(const SearchResult& result, const std::vector<SearchExplanation>& work,
             const Labels& labels) const {
    for (std::size_t q = 0; q < result.ids.rows; ++q) {
      if (json_) {
        nlohmann::ordered_json json = neighbours_json(result, q, labels);
        if (!work.empty()) json["explain"] = explanation_json(work[q]);
        print_json(json);
      } else {
        fmt::print("{}{}", q == 0 ? "" : "\n", neighbours_text(result, q, options_.k, labels));
        if (!work.empty()) fmt::print("{}\n", explanation_text(work[q]));
      }
    }
  }

  /// The search options that the answers depend on.
  std::string parameters() const {
    std::string text;
    if (options_.target_recall > 0) text = fmt::format("target_recall={},", options_.target_recall);
    if (options_.nprobe) text += fmt::format("nprobe={},", *options_.nprobe);
    if (text.empty()) text = "default recall,";
    const bool is_usual = options_.confidence == SearchOptions{}.confidence;
    text += is_usual ? "usual confidence" : fmt::format("confidence={}", options_.confidence);
    return filter_.is_given() ? text + "," + filter_.text() : text;
  }

  void write(const IndexStats& stats, const SearchResult& result, double seconds) const {
    datasets::ResultFile file;
    file.algorithm = obliq_method(stats);
    file.dataset = std::filesystem::path(queries_).stem().string();
    file.parameters = parameters();
    file.metric = stats.metric;
    file.k = options_.k;
    file.search_seconds = seconds;
    file.index_kilobytes = static_cast<double>(stats.file_bytes) / 1024;
    file.ids = result.ids;
    file.distances = result.distances;
    const auto queries = static_cast<double>(result.ids.rows);
    file.query_seconds.assign(result.ids.rows, static_cast<float>(seconds / queries));
    const HoldInterrupts held;
    datasets::write_results(output_, file);
  }

  std::string index_;
  std::vector<std::string> segments_;
  std::string queries_;
  std::string output_;
  Inputs inputs_;
  FilterFlags filter_;
  std::vector<std::string> columns_;
  SearchOptions options_;
  std::size_t limit_ = 0;
  bool explain_ = false;
  bool read_ahead_ = false;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_search() { return std::make_unique<Search>(); }

}  // namespace obliq::tools

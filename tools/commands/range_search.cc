// obliq range-search: all vectors nearer to queries than a radius, for people (a table per query),
// for programs (JSON lines), or as three arrays in a file, which stands for the truth of another
// search, too.
#include <fmt/core.h>

#include <algorithm>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "datasets/dataset.h"
#include "datasets/range_truth.h"
#include "tools/command.h"
#include "tools/filter_flags.h"
#include "tools/flags.h"
#include "tools/inputs.h"
#include "tools/interrupt.h"
#include "tools/neighbours.h"
#include "tools/outputs.h"
#include "tools/range_flags.h"
#include "tools/searched.h"

namespace obliq::tools {
namespace {

class RangeSearch final : public Command {
 public:
  void add_flags(CLI::App& app) override {
    add_searched(app, index_, queries_, segments_);
    range_.add_flags(app)->required();
    app.add_option("--limit", limit_, "Only the first queries (0: all)")->capture_default_str();
    auto* output = app.add_option("-o,--output", output_,
                                  "Write lims, neighbors and distances to a file (.hdf5) instead; "
                                  "'obliq eval --truth' reads it")
                       ->check(file_name());
    filter_.add_flags(app);
    app.add_option("--return-columns", columns_,
                   "Columns whose values to show with the answers, with commas")
        ->delimiter(',')
        ->allow_extra_args(false)
        ->excludes(output);
    inputs_.add_format(app);
    add_threads(app, range_.options().threads, "Threads to use; the answers do not depend on them");
    add_json(app, json_);
  }

  int run() override {
    std::vector<std::string> files = filter_.files();
    files.push_back(queries_);
    inputs_.settle(files);
    if (!output_.empty()) {
      files.insert(files.end(), segments_.begin(), segments_.end());
      files.push_back(index_);
      check_outputs({output_}, files);
      require_suffix(output_, {".hdf5", ".h5"}, "results");
    }
    const Searched index = Searched::open(index_, segments_);
    RangeSearchOptions options = range_.options();
    options.filter = filter_.read(inputs_, index.has_keys());
    options.columns = columns_;
    const datasets::BenchmarkSet set = inputs_.read_queries(queries_);
    const std::size_t count = limit_ == 0 ? set.test.rows : std::min(limit_, set.test.rows);
    std::vector<std::string> keys;
    const RangeSearchResult result = answers(index, set.test.view().slice(0, count), options, keys);
    if (output_.empty()) {
      const auto labels = index.has_keys() ? std::span<const std::string>() : set.train_labels;
      print(result, {labels, set.test_labels, keys});
    } else {
      write(result);
    }
    return kOk;
  }

 private:
  /// Where ids are strings they go to `keys`, and those of the result are 0.
  RangeSearchResult answers(const Searched& index, MatrixView<float> queries,
                            const RangeSearchOptions& options,
                            std::vector<std::string>& keys) const {
    if (!index.has_keys()) return index.range_search(queries, range_.radius(), options);
    if (!output_.empty()) {
      throw std::invalid_argument(
          "a result file holds numbers, and the ids of the collection are strings: leave out "
          "--output, or search an exported index");
    }
    KeyedRangeSearchResult found = index.range_search_keys(queries, range_.radius(), options);
    keys = std::move(found.keys);
    return {std::move(found.lims), std::move(found.distances),
            std::vector<std::int64_t>(keys.size()), std::move(found.cut), std::move(found.columns)};
  }

  void print(const RangeSearchResult& result, const Labels& labels) const {
    for (std::size_t q = 0; q + 1 < result.lims.size(); ++q) {
      const std::size_t first = result.lims[q];
      const std::size_t count = result.lims[q + 1] - first;
      Neighbours found{q, std::span(result.ids).subspan(first, count),
                       std::span(result.distances).subspan(first, count)};
      if (!labels.keys.empty()) found.keys = labels.keys.subspan(first, count);
      found.columns = &result.columns;
      found.first_value = first;
      if (json_) {
        nlohmann::ordered_json json = neighbours_json(found, labels);
        json["cut"] = result.cut[q] != 0;
        print_json(json);
      } else {
        fmt::print("{}{}{}", q == 0 ? "" : "\n", neighbours_text(found, labels),
                   result.cut[q] != 0 ? "there are more\n" : "");
      }
    }
  }

  void write(const RangeSearchResult& result) const {
    {
      const HoldInterrupts held;
      datasets::write_range_answers(output_, {result.lims, result.ids, result.distances});
    }
    const auto cut = std::count(result.cut.begin(), result.cut.end(), 1);
    if (json_) {
      print_json({{"output", output_},
                  {"queries", result.cut.size()},
                  {"results", result.ids.size()},
                  {"queries_cut", cut}},
                 beside(output_));
    } else if (cut > 0) {
      fmt::print(beside(output_), "{} of {} queries had more than {} answers\n", cut,
                 result.cut.size(), range_.options().max_results);
    }
  }

  std::string index_;
  std::vector<std::string> segments_;
  std::string queries_;
  std::string output_;
  Inputs inputs_;
  RangeFlags range_;
  FilterFlags filter_;
  std::vector<std::string> columns_;
  std::size_t limit_ = 0;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_range_search() { return std::make_unique<RangeSearch>(); }

}  // namespace obliq::tools

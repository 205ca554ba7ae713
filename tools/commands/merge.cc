// obliq merge: segments of a model into an index or, of some lists or with --segment, into another
// segment.
#include <fmt/core.h>

#include <chrono>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "index/open_written.h"
#include "obliq/model.h"
#include "tools/command.h"
#include "tools/describe.h"
#include "tools/flags.h"
#include "tools/inputs.h"
#include "tools/interrupt.h"
#include "tools/outputs.h"
#include "tools/parts.h"
#include "tools/progress_bar.h"

namespace obliq::tools {
namespace {

class Merge final : public Command {
 public:
  void add_flags(CLI::App& app) override {
    app.add_option("model", model_, "Model of the segments, or an index, which holds one")
        ->required();
    app.add_option("segments", segments_, "Segments, in any order")->required();
    app.add_option("-o,--output", output_, "Index or segment to write")->required();
    app.add_option("--lists", lists_,
                   "Merge only lists A:B, A to B - 1, into a segment; multiples of 256 share no "
                   "block with others; default: all");
    app.add_flag("--segment", options_.as_segment,
                 "Write a segment, without the model, that can be merged again");
    app.add_option("--duplicates", duplicates_,
                   "An id that two segments hold: error, or last: that of the last segment named "
                   "stands")
        ->check(CLI::IsMember({"error", "last"}))
        ->capture_default_str();
    app.add_option("--deleted", deleted_, "File of ids to leave out; they need not be there")
        ->check(file_name());
    app.add_flag("!--no-tune", options_.tune,
                 "Do not calibrate target recalls (obliq tune does so later)");
    add_max_memory(
        app, options_.max_memory,
        "Memory that the merge may take, as 2GB or 500MB; less than it needs is refused");
    inputs_.add_format(app);
    add_threads(app, options_.threads, "Threads to tune with; the output does not depend on them");
    add_json(app, json_);
  }

  int run() override {
    std::vector<std::string> files = segments_;
    files.push_back(model_);
    files.push_back(deleted_);
    check_outputs({output_}, files);
    refuse_foreign_suffix(output_, "an index");
    inputs_.settle({deleted_});
    if (duplicates_ == "last") options_.duplicates = MergeOptions::Duplicates::last;
    if (!lists_.empty()) options_.lists = lists_to_merge();
    Matrix<std::int64_t> deleted;
    if (!deleted_.empty()) deleted = inputs_.read_ids(deleted_, "ids");
    options_.deleted = deleted.values;
    const Model model = Model::open(model_);
    ProgressBar bar("merge");
    options_.progress = bar.callback();
    const auto start = std::chrono::steady_clock::now();
    write(model);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    bar.clear();
    if (!is_stream(output_)) print(seconds.count());
    return kOk;
  }

 private:
  ListRange lists_to_merge() const {
    const Range range = parse_range("--lists", lists_);
    if (range.end <= std::numeric_limits<std::uint32_t>::max()) {
      return {static_cast<std::uint32_t>(range.first), static_cast<std::uint32_t>(range.end)};
    }
    throw std::invalid_argument(
        fmt::format("--lists {} are more than an index can have: 'obliq info {}' tells how many "
                    "there are",
                    lists_, model_));
  }

  void write(const Model& model) const {
    const HoldInterrupts held;
    merge(model, segments_, output_, options_);
  }

  void print(double seconds) const {
    const bool is_segment = file_kind(output_) == FileKind::segment;
    const IndexStats stats = is_segment ? IndexStats{} : open_written(output_).stats();
    nlohmann::ordered_json json = is_segment ? segment_json(output_) : stats_json(stats);
    if (!json_) {
      fmt::print("{}: {} (merged in {:.2f} s)\n", output_,
                 is_segment ? segment_line(json) : stats_line(stats), seconds);
      return;
    }
    json["output"] = output_;
    json["merge_seconds"] = seconds;
    print_json(json);
  }

  std::string model_;
  std::vector<std::string> segments_;
  std::string output_;
  std::string lists_;
  std::string duplicates_ = "error";
  std::string deleted_;
  Inputs inputs_;
  MergeOptions options_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_merge() { return std::make_unique<Merge>(); }

}  // namespace obliq::tools

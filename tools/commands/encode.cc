// obliq encode: vectors into a segment of a model. Several processes share a file by --rows.
#include <fmt/core.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "obliq/model.h"
#include "tools/column_flags.h"
#include "tools/command.h"
#include "tools/flags.h"
#include "tools/inputs.h"
#include "tools/interrupt.h"
#include "tools/outputs.h"
#include "tools/parts.h"
#include "tools/progress_bar.h"
#include "tools/vector_rows.h"

namespace obliq::tools {
namespace {

class Encode final : public Command {
 public:
  void add_flags(CLI::App& app) override {
    app.add_option("model", model_, "Model, or an index, which holds one")->required();
    app.add_option("vectors", vectors_, "Vectors; HDF5: FILE:dataset, default train")->required();
    app.add_option("-o,--output", output_, "Segment to write")->required();
    auto* first = app.add_option("--first", first_,
                                 "Position in the base of the first vector of VECTORS: ids count "
                                 "from it")
                      ->check(count_or_zero())
                      ->capture_default_str();
    app.add_option("--ids", ids_,
                   "64-bit ids, one per vector of VECTORS, all different, none -1; default: "
                   "positions, which count from --first")
        ->check(file_name())
        ->excludes(first);
    app.add_option("--rows", rows_,
                   "Encode only rows A:B of VECTORS, A to B - 1; their positions, ids and columns "
                   "are those of the whole file, so that processes can share it; default: all");
    columns_.add_flags(app);
    app.add_flag("!--no-truth", options_.truth,
                 "Do not keep the true neighbours of the model's learn queries, from which merge "
                 "tunes");
    add_max_memory(app, options_.max_memory,
                   "Memory that encoding may take, as 2GB or 500MB; the rest is staged in "
                   "temporary files");
    inputs_.add_format(app);
    add_threads(app, options_.threads, "Threads to use; the segment does not depend on them");
    add_json(app, json_);
  }

  int run() override {
    std::vector<std::string> files = columns_.files();
    files.insert(files.end(), {model_, vectors_, ids_});
    check_outputs({output_}, files);
    refuse_foreign_suffix(output_, "a segment");
    inputs_.settle({vectors_, ids_});
    const Model model = Model::open(model_);
    const auto vectors = inputs_.open(vectors_, "train");
    const Range range = rows_of_file(rows_, vectors->rows(), vectors_);
    const auto ids = read_ids_of(vectors_, vectors->rows(), inputs_, ids_);
    if (ids_.empty()) {
      options_.first = first_ + range.first;
    } else {
      options_.ids = ids.view().slice(range.first, range.end - range.first);
    }
    ProgressBar bar("encode");
    options_.progress = bar.callback();
    const Columns columns =
        slice_columns(columns_.read_of(vectors_, vectors->rows(), {}, bar.callback()), range.first,
                      range.end - range.first);
    options_.columns = columns;
    const auto start = std::chrono::steady_clock::now();
    write(model, SliceSource(*vectors, range.first, range.end - range.first));
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    bar.clear();
    if (!is_stream(output_)) print(seconds.count());
    return kOk;
  }

 private:
  void write(const Model& model, const VectorSource& vectors) const {
    const HoldInterrupts held;
    model.encode(vectors, output_, options_);
  }

  void print(double seconds) const {
    nlohmann::ordered_json json = segment_json(output_);
    if (!json_) {
      fmt::print("{}: {} (encoded in {:.2f} s)\n", output_, segment_line(json), seconds);
      return;
    }
    json["output"] = output_;
    json["encode_seconds"] = seconds;
    print_json(json);
  }

  std::string model_;
  std::string vectors_;
  std::string output_;
  std::string ids_;
  std::string rows_;
  std::uint64_t first_ = 0;
  Inputs inputs_;
  ColumnFlags columns_;
  EncodeOptions options_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_encode() { return std::make_unique<Encode>(); }

}  // namespace obliq::tools

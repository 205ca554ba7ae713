// A build in steps, each a value that the next one needs:
//
//     model     what is learnt from a sample                  train.h
//     segment   the vectors, encoded under the model          segment_encoder.h
//     index     segments merged, with the model               merge.h
//     tuning    from the truth that segments keep             tune/tuning.h
//
// Where memory is bounded there are several segments, in a folder beside the output; else one,
// which is the index as it is.
#include "index/build/builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>
#include <vector>

#include "core/stage_progress.h"
#include "index/build/build_plan.h"
#include "index/build/merge.h"
#include "index/build/train.h"
#include "index/segment/segment_file.h"
#include "index/segment/segment_set.h"
#include "index/tune/tuning.h"
#include "storage/output_target.h"
#include "storage/temporary_folder.h"

namespace obliq {
namespace {

// Of run after run the share that is done.
Progress share_of(const Progress& whole, std::size_t first, std::size_t rows, std::size_t all) {
  if (!whole) return {};
  return [=](std::string_view stage, double fraction) {
    const double done = static_cast<double>(first) + fraction * static_cast<double>(rows);
    return whole(stage == "true neighbours" ? "encode" : stage,
                 std::min(1.0, done / static_cast<double>(all)));
  };
}

/// Segments of runs, staged in a folder.
class Runs {
 public:
  Runs(const std::shared_ptr<const TrainedModel>& model, const EncodeInput& input,
       std::size_t run_rows, const std::string& folder)
      : folder_(folder) {
    const std::size_t n = input.vectors.rows();
    for (std::size_t first = 0; first < n; first += run_rows) {
      const std::size_t rows = std::min(run_rows, n - first);
      const SliceSource slice(input.vectors, first, rows);
      EncodeInput run = {slice};
      run.ids = input.ids.rows > 0 ? input.ids.slice(first, rows) : input.ids;
      run.first = input.first + first;
      run.columns = input.columns;
      run.first_value = input.first_value + first;
      run.chunk_rows = input.chunk_rows;
      run.truth = input.truth;
      run.threads = input.threads;
      run.progress = share_of(input.progress, first, rows, n);
      const std::string name = fmt::format("vectors {} to {}", run.first, run.first + rows - 1);
      const std::string file = folder_ / std::to_string(sources_.size());
      save_segment(encode_segment(model, run), file);
      sources_.push_back({open_segment(file, model, {}), name});
    }
  }

  const std::vector<MergeSource>& sources() const { return sources_; }

 private:
  TemporaryFolder folder_;
  std::vector<MergeSource> sources_;
};

EncodeInput input_of(const BuildPlan& plan, const TrainedModel& model) {
  EncodeInput input = {plan.vectors};
  input.ids = plan.options.ids;
  input.columns = plan.options.columns;
  input.chunk_rows = plan.chunk_rows;
  input.truth = plan.options.tune && !model.learn_ids.empty();
  input.threads = plan.options.threads;
  input.progress = plan.options.progress;
  return input;
}

// In memory, tuned.
Segment encode_whole(const BuildPlan& plan, const std::shared_ptr<const TrainedModel>& model) {
  const EncodeInput input = input_of(plan, *model);
  Segment segment = encode_segment(model, input);
  if (input.truth) {
    segment.tuning = tune_from_truth(SegmentSet(model, {segment}),
                                     {plan.options.threads, plan.options.progress});
  }
  segment.truth = {};
  segment.model = without_learn(*model);
  return segment;
}

}  // namespace

Segment build_segment(const VectorSource& base, const BuildOptions& options) {
  if (options.max_memory > 0) {
    throw std::invalid_argument(
        "max_memory bounds a build into a file: name one (Index::build_file), or leave it out");
  }
  const BuildPlan plan(base, base.rows(), options, "");
  return encode_whole(plan, train_model(plan));
}

void build_segment_file(const VectorSource& base, const BuildOptions& asked,
                        const std::string& path) {
  StageProgress stages(asked.progress);
  BuildOptions options = asked;
  options.progress = stages.callback();
  const std::string folder = staging_folder(path);
  const BuildPlan plan(base, base.rows(), options, folder);
  const auto model = train_model(plan);
  if (plan.run_rows >= plan.n) {
    const Segment segment = encode_whole(plan, model);
    report(options.progress, "write", 0);
    save_index(segment, path, [&] { stages.end(); });
  } else {
    const Runs runs(model, input_of(plan, *model), plan.run_rows, folder);
    MergePlan merge;
    merge.end_list = static_cast<std::uint32_t>(model->nlist());
    merge.tune = options.tune;
    merge.threads = options.threads;
    merge.progress = options.progress;
    merge.ready = [&] { stages.end(); };
    merge_segments(model, runs.sources(), merge, path);
  }
}

void encode_file(const std::shared_ptr<const TrainedModel>& model, const EncodeInput& input,
                 std::size_t run_rows, const std::string& path,
                 const std::function<void()>& ready) {
  if (run_rows >= input.vectors.rows()) {
    const Segment segment = encode_segment(model, input);
    report(input.progress, "write", 0);
    save_segment(segment, path, ready);
    return;
  }
  const Runs runs(model, input, run_rows, staging_folder(path));
  MergePlan merge;
  merge.end_list = static_cast<std::uint32_t>(model->nlist());
  merge.as_index = false;
  merge.threads = input.threads;
  merge.progress = input.progress;
  merge.ready = ready;
  merge_segments(model, runs.sources(), merge, path);
}

}  // namespace obliq

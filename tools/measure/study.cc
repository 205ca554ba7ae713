#include "tools/measure/study.h"

#include <algorithm>
#include <stdexcept>

#include "core/spread_rows.h"
#include "datasets/groundtruth.h"
#include "index/index_access.h"
#include "index/segment/list_counts.h"
#include "index/tune/target_ladder.h"
#include "storage/temporary_folder.h"
#include "tools/interrupt.h"
#include "tools/measure/centroids.h"

namespace obliq::tools {
namespace {

constexpr std::size_t kRounds = 5;
constexpr std::size_t kShareOfLists = 16;  // codes are timed over one list in 16

// From a file into memory, as users who want speed open one.
Index build_and_open(const Matrix<float>& base, const BuildOptions& options) {
  const HoldInterrupts held;
  const TemporaryFolder folder;
  const std::string path = folder / "index.obliq";
  Index::build_file(MatrixSource(base.view()), path, options);
  return Index::open(path, {.residence = Residence::memory});
}

// The stop rule wherever a large index may use it.
void use_stop_rule(Index& index) {
  Tuning tuning = index.stats().tuning;
  for (TunedLadder& ladder : tuning.ladders) {
    for (TunedTarget& target : ladder.targets) {
      target.uses_stop_rule = target.recall >= kLeastStopTarget;
    }
  }
  IndexAccess::set_tuning(index, std::move(tuning));
}

const StageProfile& stage(const Profile& profile, Stage which) {
  return profile.stages[static_cast<std::size_t>(which)];
}

}  // namespace

const std::vector<Code>& studied_codes() {
  static const std::vector<Code> codes = {
      {"sq8", RawTier::none}, {"lm6", RawTier::none}, {"lm5", RawTier::none},
      {"lm4", RawTier::none}, {"lm3", RawTier::none}, {"lm2", RawTier::none},
      {"sq8", RawTier::fp32}, {"sq8", RawTier::fp16}, {"lm4", RawTier::fp16}};
  return codes;
}

Study::Study(Matrix<float> base, Matrix<float> queries, const StudyOptions& options,
             const Progress& progress)
    : options_(options), queries_(std::move(queries)) {
  if (options.metric == Metric::cosine) normalise(base);
  sizes_[kQuarter].base = spread_rows(base.view(), base.rows / 4);
  sizes_[kSample].base = std::move(base);
  bandwidths_ = measure_bandwidth();
  for (SizeData& data : sizes_) prepare(data, progress);
  const std::vector<Code>& codes = studied_codes();
  for (std::size_t c = 0; c < codes.size(); ++c) {
    report(progress, "codes", static_cast<double>(c) / static_cast<double>(codes.size()));
    study_code(codes[c]);
  }
}

void Study::prepare(SizeData& data, const Progress& progress) {
  const MatrixSource source(data.base.view());
  data.truth = datasets::ground_truth(source, queries_.view(), options_.k, options_.metric,
                                      options_.threads, progress);
  data.centroids = train_centroids(data.base.view(),
                                   {choose_nlist(data.base.rows), options_.seed,
                                    BuildOptions{}.kmeans_iterations, options_.threads},
                                   progress);
  for (const double spill : kStudiedSpills) {
    add_route(data, spill, progress);
  }
}

BuildOptions Study::options_of(const SizeData& data, const Code& code, double spill) const {
  BuildOptions build;
  build.metric = options_.metric;
  build.quantizer = code.quantizer;
  build.raw = code.raw;
  build.nlist = data.centroids.rows;
  build.spill = spill;
  build.seed = options_.seed;
  build.threads = options_.threads;
  build.centroids = data.centroids.view();
  build.tune = false;
  return build;
}

void Study::add_route(SizeData& data, double spill, const Progress& progress) const {
  BuildOptions build = options_of(data, studied_codes().front(), spill);
  build.tune = true;
  build.progress = progress;
  Index index = build_and_open(data.base, build);
  use_stop_rule(index);
  const SegmentSet& segments = IndexAccess::segments(index);
  const TrainedModel& model = segments.model();
  data.far_share = static_cast<double>(model.far_lists.size()) / static_cast<double>(model.nlist());
  std::vector<std::uint32_t> list_sizes;
  for (std::uint32_t list = 0; list < model.nlist(); ++list) {
    list_sizes.push_back(static_cast<std::uint32_t>(segments.entries(list)));
  }
  data.routes.emplace(spill, Route{std::move(index), std::move(list_sizes)});
}

Questions Study::questions(const SizeData& data) const {
  return {queries_.view(), &data.truth, options_.metric};
}

// sq8 comes first: its time per row is subtracted from that of the other codes.
void Study::study_code(const Code& code) {
  const SizeData& data = sizes_[kSample];
  const Index index = Index::build(data.base.view(), options_of(data, code, 0));
  const std::size_t nlist = data.centroids.rows;
  const auto profile = [&](std::size_t nprobe, std::size_t rounds) {
    SearchOptions search;
    search.k = options_.k;
    search.nprobe = nprobe;
    return profile_search(index, search, questions(data), rounds, bandwidths_);
  };
  const Profile some = profile(std::max(nlist / kShareOfLists, std::size_t{1}), kRounds);
  const StageProfile& refine = stage(some, Stage::refine);
  CodeStudy found = {code, profile(nlist, 1).recall, refine.us / std::max(refine.count, 1.0),
                     stage(some, Stage::raw).us};
  if (codes_.empty()) sq8_row_us_ = found.row_us;
  found.row_us -= sq8_row_us_;
  codes_.push_back(std::move(found));
}

const std::vector<std::uint32_t>& Study::list_sizes(double spill) const {
  return sizes_[kSample].routes.at(spill).list_sizes;
}

std::optional<Profile> Study::route(StudySize size, double spill, double target) const {
  if (!(target > 0 && target < 1)) return std::nullopt;
  SearchOptions search;
  search.k = options_.k;
  search.target_recall = target;
  try {
    return profile_search(sizes_[size].routes.at(spill).index, search, questions(sizes_[size]),
                          size == kSample ? kRounds : 1, bandwidths_);
  } catch (const std::invalid_argument&) {
    return std::nullopt;  // beyond what its lists give
  }
}

}  // namespace obliq::tools

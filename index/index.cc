// The public face: checks what callers give, then hands over to segment, builder and searcher.
#include "obliq/index.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <mutex>
#include <span>
#include <stdexcept>
#include <unordered_map>
#include <vector>

#include "core/stage_progress.h"
#include "index/build/builder.h"
#include "index/external_ids.h"
#include "index/index_access.h"
#include "index/search/confidence.h"
#include "index/search/parallel_searcher.h"
#include "index/segment/row_decoder.h"
#include "index/segment/segment_file.h"
#include "index/segment/tuning_section.h"
#include "index/tune/recall_plan.h"
#include "index/tune/tuning.h"

namespace obliq {
namespace {

constexpr std::size_t kNoRow = std::numeric_limits<std::size_t>::max();

void check_search(const Segment& segment, MatrixView<float> queries, const SearchOptions& options) {
  if (queries.cols != segment.dim()) {
    throw std::invalid_argument(
        fmt::format("queries have dim {}, the index has {}", queries.cols, segment.dim()));
  }
  if (options.k == 0) throw std::invalid_argument("k must be 1 or more");
  if (options.nprobe == 0) throw std::invalid_argument("nprobe must be 1 or more");
  if (!(options.confidence > 0 && options.confidence <= 1)) {
    throw std::invalid_argument(
        fmt::format("confidence must be in (0, 1], not {}", options.confidence));
  }
  if (!(options.target_recall >= 0 && options.target_recall < 1)) {
    throw std::invalid_argument(fmt::format(
        "target_recall must be in (0, 1), or 0 for none, not {}", options.target_recall));
  }
  require_finite(queries, "query", 0, segment.metric());
}

/// Standard deviations of the bounds. Those of the confidence that most calls have are worked out
/// once, since that takes a hundredth of a query.
float deviations_of(float confidence) {
  const auto found = [](float p) { return static_cast<float>(normal_quantile(p)); };
  static const float usual = found(SearchOptions{}.confidence);
  return confidence == SearchOptions{}.confidence ? usual : found(confidence);
}

/// Throws std::invalid_argument when answers to all queries have more bytes than there can be.
void check_answers(std::size_t queries, std::size_t k) {
  constexpr std::size_t kMost =
      std::numeric_limits<std::ptrdiff_t>::max() / (sizeof(float) + sizeof(std::int64_t));
  if (queries > 0 && k > kMost / queries) {
    throw std::invalid_argument(
        fmt::format("k is {}: no memory holds the answers of {} queries", k, queries));
  }
}

[[noreturn]] void refuse_id(std::int64_t id) {
  throw std::invalid_argument(fmt::format("id {} is not in the index", id));
}

}  // namespace

struct OBLIQ_HIDDEN Index::Impl {
  Segment segment;
  ParallelSearcher searcher;
  RowDecoder decoder;
  std::mutex mutex;  ///< of segment.tuning and the default plan
  /// The default plan of the last k that was asked for, since most calls ask for the same one.
  struct {
    std::size_t k = 0;  ///< 0: none
    StopPolicy stop;
  } usual;

  explicit Impl(Segment made) : segment(std::move(made)), searcher(segment), decoder(segment) {}

  SearchPlan plan(const SearchOptions& options);
  StopPolicy stop(const SearchOptions& options);
  /// kNoRow when the id is not in the index.
  std::size_t row_of(std::int64_t id) const;
  /// Of many ids, in one pass over the ids of the index. Throws std::invalid_argument naming an id
  /// that is not in it.
  std::vector<std::size_t> rows_of(std::span<const std::int64_t> wanted) const;
  Segment segment_copy() {
    const std::lock_guard lock(mutex);
    return segment;
  }
  Tuning tuning() {
    const std::lock_guard lock(mutex);
    return segment.tuning;
  }
  void set_tuning(Tuning tuning) {
    const std::lock_guard lock(mutex);
    segment.tuning = std::move(tuning);
    usual.k = 0;
  }
};

std::size_t Index::Impl::row_of(std::int64_t id) const {
  if (segment.ids.empty()) {
    const bool known = id >= 0 && static_cast<std::uint64_t>(id) < segment.info.n;
    return known ? static_cast<std::size_t>(id) : kNoRow;
  }
  const auto found = std::find(segment.ids.begin(), segment.ids.end(), id);
  return found == segment.ids.end() ? kNoRow
                                    : static_cast<std::size_t>(found - segment.ids.begin());
}

std::vector<std::size_t> Index::Impl::rows_of(std::span<const std::int64_t> wanted) const {
  std::unordered_map<std::int64_t, std::size_t> found;
  for (const std::int64_t id : wanted) found.emplace(id, segment.ids.empty() ? row_of(id) : kNoRow);
  for (std::size_t row = 0; row < segment.ids.size(); ++row) {
    const auto place = found.find(segment.ids[row]);
    if (place != found.end()) place->second = row;
  }
  std::vector<std::size_t> rows;
  rows.reserve(wanted.size());
  for (const std::int64_t id : wanted) {
    rows.push_back(found.at(id));
    if (rows.back() == kNoRow) refuse_id(id);
  }
  return rows;
}

SearchPlan Index::Impl::plan(const SearchOptions& options) {
  SearchPlan plan;
  plan.k = options.k;
  plan.deviations = deviations_of(options.confidence);
  plan.stop = stop(options);
  if (options.nprobe) plan.stop.nprobe = std::min(plan.stop.nprobe, *options.nprobe);
  return plan;
}

// Without regard to nprobe where there is a target.
StopPolicy Index::Impl::stop(const SearchOptions& options) {
  const IndexExtent extent = {segment.info.n, segment.info.nlist};
  const bool aims = options.target_recall > 0;
  if (extent.nlist == 0 || (options.nprobe && !aims)) return {options.nprobe.value_or(1), {}};
  const std::lock_guard lock(mutex);
  if (segment.tuning.queries == 0 && extent.n < kLeastTuned) return {extent.nlist, {}};
  if (aims) return plan_recall(segment.tuning, options.target_recall, options.k, extent);
  if (usual.k != options.k) usual = {options.k, plan_default(segment.tuning, options.k, extent)};
  return usual.stop;
}

Index::Index(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Index::Index(Index&&) noexcept = default;
Index& Index::operator=(Index&&) noexcept = default;
Index::~Index() = default;

Index Index::copy() const { return Index(std::make_unique<Impl>(impl_->segment_copy())); }

Index Index::build(const VectorSource& base, const BuildOptions& options) {
  check_ids(options.ids);
  StageProgress stages(options.progress);
  BuildOptions own = options;
  own.progress = stages.callback();
  auto impl = std::make_unique<Impl>(build_segment(base, own));
  if (own.tune) {
    impl->set_tuning(
        tune_built(impl->segment, base, own.train_queries, {own.threads, own.progress}));
  }
  stages.end();
  return Index(std::move(impl));
}

void Index::build_file(const VectorSource& base, const std::string& path,
                       const BuildOptions& options) {
  check_ids(options.ids);
  build_segment_file(base, options, path);
}

void Index::tune(MatrixView<float> learn_queries, const TuneOptions& options) {
  const RowSource rows(impl_->segment.info.n, impl_->segment.dim(),
                       [this](std::size_t row, float* out) { impl_->decoder.vector(row, out); });
  StageProgress stages(options.progress);
  Tuning found = tune_opened(impl_->segment, rows, learn_queries, impl_->tuning(),
                             {options.threads, stages.callback()});
  stages.end();
  impl_->set_tuning(std::move(found));
}

Index Index::build(MatrixView<float> base, const BuildOptions& options) {
  return build(MatrixSource(base), options);
}

Index Index::open(const std::string& path, const OpenOptions& options) {
  return Index(std::make_unique<Impl>(open_segment(path, options)));
}

void Index::save(const std::string& path) const { save_segment(impl_->segment, path); }

SearchResult Index::search(MatrixView<float> queries, const SearchOptions& options) const {
  check_answers(queries.rows, options.k);
  SearchResult result{Matrix<float>(queries.rows, options.k),
                      Matrix<std::int64_t>(queries.rows, options.k)};
  search(queries, options, result.distances.values.data(), result.ids.values.data());
  return result;
}

void Index::search(MatrixView<float> queries, const SearchOptions& options, float* distances,
                   std::int64_t* ids) const {
  IndexAccess::search(*this, queries, options, distances, ids, nullptr);
}

void IndexAccess::search(const Index& index, MatrixView<float> queries,
                         const SearchOptions& options, float* distances, std::int64_t* ids,
                         SearchCounters* counters) {
  Index::Impl& impl = *index.impl_;
  const Segment& segment = impl.segment;
  check_search(segment, queries, options);
  const SearchPlan plan = impl.plan(options);
  impl.searcher.search(queries, plan, options, distances, ids, counters);
  if (segment.ids.empty()) return;
  for (std::int64_t& id : std::span(ids, queries.rows * plan.k)) {
    if (id >= 0) id = segment.ids[static_cast<std::size_t>(id)];
  }
}

void Index::reconstruct(std::int64_t id, float* out) const {
  const std::size_t row = impl_->row_of(id);
  if (row == kNoRow) refuse_id(id);
  impl_->decoder.vector(row, out);
}

void Index::reconstruct(std::span<const std::int64_t> ids, float* out) const {
  for (const std::size_t row : impl_->rows_of(ids)) {
    impl_->decoder.vector(row, out);
    out += impl_->segment.dim();
  }
}

const Segment& IndexAccess::segment(const Index& index) { return index.impl_->segment; }

void IndexAccess::set_tuning(Index& index, Tuning tuning) {
  index.impl_->set_tuning(std::move(tuning));
}

bool Index::contains(std::int64_t id) const { return impl_->row_of(id) != kNoRow; }

IndexStats Index::stats() const {
  const Segment& segment = impl_->segment;
  IndexStats stats;
  stats.n = segment.info.n;
  stats.dim = segment.info.dim;
  stats.nlist = segment.info.nlist;
  stats.list_groups = std::max<std::size_t>(1, segment.groups.size());
  stats.metric = segment.metric();
  stats.quantizer = segment.info.quantizer;
  stats.raw = segment.raw_tier();
  if (stats.n > 0)
    stats.spill = static_cast<double>(segment.spilled) / static_cast<double>(stats.n);
  const std::size_t bytes =
      segment.blocks.size() + segment.rows.size() + segment.raw.size() + segment.lists.size_bytes();
  if (stats.n > 0) {
    stats.bytes_per_vector = static_cast<double>(bytes) / static_cast<double>(stats.n);
  }
  stats.id_bytes = segment.ids.size_bytes();
  stats.centroid_bytes = segment.centroid_levels.size() + segment.far_lists.size_bytes() +
                         segment.far_points.size_bytes() + segment.mean.size_bytes() +
                         segment.router_blocks.size() + segment.groups.size_bytes() +
                         segment.group_panels.size();
  stats.file_bytes = segment.file_bytes;
  stats.format_version = segment.format_version;
  stats.tuning = impl_->tuning();
  return stats;
}

}  // namespace obliq

// The public face: checks what callers give, then hands over to segment, builder and searcher.
#include "obliq/index.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <span>
#include <stdexcept>
#include <vector>

#include "core/stage_progress.h"
#include "index/build/builder.h"
#include "index/columns/check_columns.h"
#include "index/columns/column_sections.h"
#include "index/columns/joined_schema.h"
#include "index/external_ids.h"
#include "index/filter/filter_access.h"
#include "index/index_access.h"
#include "index/model_access.h"
#include "index/search/confidence.h"
#include "index/search/parallel_searcher.h"
#include "index/segment/id_lookup.h"
#include "index/segment/row_decoder.h"
#include "index/segment/segment_file.h"
#include "index/segment/segment_set.h"
#include "index/segment/tuning_section.h"
#include "index/tune/recall_plan.h"
#include "index/tune/tuning.h"

namespace obliq {
namespace {

void check_lists(const TrainedModel& model, std::size_t queries, const SearchOptions& options) {
  const MatrixView<std::uint32_t> lists = options.lists;
  if (lists.rows == 0) return;
  if (lists.rows != queries) {
    throw std::invalid_argument(
        fmt::format("lists are given for {} queries, there are {}", lists.rows, queries));
  }
  if (lists.cols == 0) {
    throw std::invalid_argument(
        "lists name none for any query: name one or more, or leave lists out");
  }
  if (options.nprobe || options.target_recall > 0) {
    throw std::invalid_argument(
        "lists tell which lists are scanned: leave nprobe and target_recall out");
  }
  std::vector<std::uint32_t> row;
  for (std::size_t q = 0; q < queries; ++q) {
    row.assign(lists.row(q), lists.row(q) + lists.cols);
    std::erase(row, kNoList);
    std::sort(row.begin(), row.end());
    if (!row.empty() && row.back() >= model.nlist()) {
      throw std::invalid_argument(
          fmt::format("list {} of query {}: the index has {} lists, which count from 0", row.back(),
                      q, model.nlist()));
    }
    const auto twice = std::adjacent_find(row.begin(), row.end());
    if (twice == row.end()) continue;
    throw std::invalid_argument(
        fmt::format("query {} names list {} twice: name each once", q, *twice));
  }
}

void check_search(const TrainedModel& model, MatrixView<float> queries,
                  const SearchOptions& options) {
  if (queries.cols != model.dim()) {
    throw std::invalid_argument(
        fmt::format("queries have dim {}, the index has {}", queries.cols, model.dim()));
  }
  check_lists(model, queries.rows, options);
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
  require_finite(queries, "query", 0, model.metric());
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

namespace {

/// A plan with what it points to.
struct PlannedSearch {
  SearchPlan plan;
  std::shared_ptr<const RowFilter> rows;
  std::vector<RareStop> stops;
};

// Of all n vectors about as many are as near as the k-th of `allowed` ones.
std::size_t answers_of_all(std::size_t k, std::size_t allowed, std::size_t n) {
  const double all = static_cast<double>(k) / static_cast<double>(allowed) * static_cast<double>(n);
  return static_cast<std::size_t>(std::min(all, static_cast<double>(n)));
}

}  // namespace

struct OBLIQ_HIDDEN Index::Impl {
  SegmentSet set;
  Tuning tuned;
  bool has_changed = false;  ///< much, since it was tuned
  ParallelSearcher searcher;
  RowDecoder decoder;
  std::mutex mutex;  ///< of tuned and the default plan
  /// The default plan of the last k that was asked for, since most calls ask for the same one.
  struct {
    std::size_t k = 0;  ///< 0: none
    StopPolicy stop;
  } usual;

  explicit Impl(SegmentSet made, Tuning known = {},
                std::shared_ptr<SearchPools> pools = std::make_shared<SearchPools>())
      : set(std::move(made)),
        tuned(std::move(known)),
        searcher(set, std::move(pools)),
        decoder(set) {}
  explicit Impl(const Segment& made) : Impl(SegmentSet(made.model, {made}), made.tuning) {}

  PlannedSearch plan(const SearchOptions& options);
  void plan_filtered(const SearchOptions& options, PlannedSearch& planned);
  StopPolicy stop(const SearchOptions& options);
  Tuning tuning() {
    const std::lock_guard lock(mutex);
    return tuned;
  }
  void set_tuning(Tuning tuning) {
    const std::lock_guard lock(mutex);
    tuned = std::move(tuning);
    usual.k = 0;
  }
};

PlannedSearch Index::Impl::plan(const SearchOptions& options) {
  PlannedSearch planned;
  SearchPlan& plan = planned.plan;
  plan.k = options.k;
  plan.deviations = deviations_of(options.confidence);
  if (options.filter) {
    planned.rows = FilterAccess::rows(*options.filter, {set, schema_of(set)});
    plan.filter = planned.rows.get();
  }
  if (options.lists.rows > 0) return planned;
  plan.stop = stop(options);
  if (options.filter) plan_filtered(options, planned);
  if (options.nprobe) plan.stop.nprobe = std::min(plan.stop.nprobe, *options.nprobe);
  return planned;
}

// By the stop rule wherever tuning knows it, since that alone sees how the rows that may be answers
// lie around a query.
void Index::Impl::plan_filtered(const SearchOptions& options, PlannedSearch& planned) {
  const bool aims = options.target_recall > 0;
  StopPolicy& stop = planned.plan.stop;
  const IndexExtent extent = {set.n(), set.model().nlist(), has_changed};
  if ((options.nprobe && !aims) || extent.nlist == 0 || planned.rows->count == 0) return;
  const std::lock_guard lock(mutex);
  if (tuned.queries == 0) {
    stop = plan_untuned(answers_of_all(options.k, planned.rows->count, extent.n), extent);
    return;
  }
  const double recall = aims ? options.target_recall : default_recall_at(tuned, options.k);
  planned.stops = stops_by_rarity(tuned, recall, options.k, extent);
  if (!std::isfinite(planned.stops.front().threshold)) {
    stop = {extent.nlist, {}};
    return;
  }
  stop = {extent.nlist, planned.stops.front().threshold, stop.least, planned.stops};
}

// Without regard to nprobe where there is a target.
StopPolicy Index::Impl::stop(const SearchOptions& options) {
  const IndexExtent extent = {set.n(), set.model().nlist(), has_changed};
  const bool aims = options.target_recall > 0;
  if (extent.nlist == 0 || (options.nprobe && !aims)) return {options.nprobe.value_or(1), {}};
  const std::lock_guard lock(mutex);
  if (tuned.queries == 0 && extent.n < kLeastTuned) return {extent.nlist, {}};
  if (aims) return plan_recall(tuned, options.target_recall, options.k, extent);
  if (usual.k != options.k) usual = {options.k, plan_default(tuned, options.k, extent)};
  return usual.stop;
}

Index::Index(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Index::Index(Index&&) noexcept = default;
Index& Index::operator=(Index&&) noexcept = default;
Index::~Index() = default;

Index Index::copy() const { return Index(std::make_unique<Impl>(impl_->set, impl_->tuning())); }

Index Index::build(const VectorSource& base, const BuildOptions& options) {
  check_ids(options.ids);
  check_columns(options.columns, base.rows());
  StageProgress stages(options.progress);
  BuildOptions own = options;
  own.progress = stages.callback();
  auto impl = std::make_unique<Impl>(build_segment(base, own));
  stages.end();
  return Index(std::move(impl));
}

void Index::build_file(const VectorSource& base, const std::string& path,
                       const BuildOptions& options) {
  check_ids(options.ids);
  check_columns(options.columns, base.rows());
  build_segment_file(base, options, path);
}

void Index::tune(MatrixView<float> learn_queries, const TuneOptions& options) {
  const RowSource rows(impl_->set.slots(), impl_->set.model().dim(),
                       [this](std::size_t slot, float* out) {
                         impl_->decoder.vector(static_cast<std::uint32_t>(slot), out);
                       });
  StageProgress stages(options.progress);
  Tuning found = tune_opened(impl_->set, rows, learn_queries, impl_->tuning(),
                             {options.threads, stages.callback()});
  stages.end();
  impl_->set_tuning(std::move(found));
}

Index Index::build(MatrixView<float> base, const BuildOptions& options) {
  return build(MatrixSource(base), options);
}

Index Index::open(const std::string& path, const OpenOptions& options) {
  return Index(std::make_unique<Impl>(open_index(path, options)));
}

Index Index::open(const Model& model, std::span<const std::string> segments,
                  const OpenOptions& options) {
  const auto shared = ModelAccess::get(model);
  std::vector<Segment> opened;
  std::vector<NamedTable> columns;
  std::uint64_t rows = 0;
  for (const std::string& path : segments) {
    opened.push_back(open_segment(path, shared, options));
    columns.push_back({opened.back().columns.get(), path});
    rows += opened.back().info.rows;
    if (rows < kNoSlot) continue;
    throw std::invalid_argument(fmt::format(
        "{} segments have {} vectors and more: open fewer of them together", opened.size(), rows));
  }
  (void)joined_schema(columns);
  return Index(std::make_unique<Impl>(SegmentSet(shared, std::move(opened))));
}

void Index::save(const std::string& path) const {
  const std::vector<Segment>& segments = impl_->set.segments();
  if (segments.size() != 1) {
    throw std::invalid_argument(fmt::format(
        "an index of {} segments is not saved to one file: merge them", segments.size()));
  }
  Segment whole = segments.front();
  whole.tuning = impl_->tuning();
  save_index(whole, path);
}

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
  check_search(impl.set.model(), queries, options);
  if (options.explain != nullptr) options.explain->assign(queries.rows, {});
  const PlannedSearch planned = impl.plan(options);
  impl.searcher.search(queries, planned.plan, options, distances, ids, counters);
}

void IndexAccess::check(const Index& index, MatrixView<float> queries,
                        const SearchOptions& options) {
  check_search(index.impl_->set.model(), queries, options);
}

void Index::reconstruct(std::int64_t id, float* out) const {
  const std::uint32_t slot = slot_of(impl_->set, id);
  if (slot == kNoSlot) refuse_id(id);
  impl_->decoder.vector(slot, out);
}

void Index::reconstruct(std::span<const std::int64_t> ids, float* out) const {
  const std::vector<std::uint32_t> slots = slots_of(impl_->set, ids);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (slots[i] == kNoSlot) refuse_id(ids[i]);
  }
  for (const std::uint32_t slot : slots) {
    impl_->decoder.vector(slot, out);
    out += impl_->set.model().dim();
  }
}

Index IndexAccess::make(SegmentSet set, Tuning tuning, std::shared_ptr<SearchPools> pools,
                        bool has_changed) {
  auto impl = std::make_unique<Index::Impl>(std::move(set), std::move(tuning), std::move(pools));
  impl->has_changed = has_changed;
  return Index(std::move(impl));
}

const SegmentSet& IndexAccess::segments(const Index& index) { return index.impl_->set; }

Tuning IndexAccess::tuning(const Index& index) { return index.impl_->tuning(); }

void IndexAccess::set_tuning(Index& index, Tuning tuning) {
  index.impl_->set_tuning(std::move(tuning));
}

bool Index::contains(std::int64_t id) const { return slot_of(impl_->set, id) != kNoSlot; }

IndexStats Index::stats() const {
  const TrainedModel& model = impl_->set.model();
  IndexStats stats;
  stats.n = impl_->set.n();
  stats.dim = model.dim();
  stats.nlist = model.nlist();
  stats.list_groups = std::max<std::size_t>(1, model.groups.size());
  stats.metric = model.metric();
  stats.quantizer = model.info.quantizer;
  stats.raw = model.raw_tier();
  std::size_t bytes = model.lists.size_bytes();
  std::vector<NamedTable> columns;
  for (const Segment& segment : impl_->set.segments()) {
    bytes += segment.blocks.size() + segment.spilled.size() + segment.rows.size() +
             segment.raw.size() + segment.lists.bytes();
    stats.id_bytes += segment.ids.size_bytes() + segment.sorted_rows.size_bytes() +
                      segment.positions.size_bytes();
    columns.push_back({segment.columns.get(), ""});
    stats.column_bytes += column_bytes(segment.columns.get());
    stats.file_bytes += segment.file_bytes;
    stats.format_version = segment.format_version;
  }
  if (stats.n > 0) {
    const auto n = static_cast<double>(stats.n);
    stats.spill = static_cast<double>(impl_->set.spilled()) / n;
    stats.bytes_per_vector = static_cast<double>(bytes) / n;
  }
  stats.columns = joined_schema(columns);
  stats.segments = impl_->set.segments().size();
  stats.model_id = model.info.id;
  stats.centroid_bytes = model.centroid_levels.size() + model.far_lists.size_bytes() +
                         model.far_points.size_bytes() + model.mean.size_bytes() +
                         model.router_blocks.size() + model.groups.size_bytes() +
                         model.group_panels.size();
  stats.tuning = impl_->tuning();
  return stats;
}

}  // namespace obliq

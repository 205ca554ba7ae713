// The public face: checks what callers give, then hands over to segment, builder and searcher.
#include "obliq/index.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <stdexcept>
#include <vector>

#include "core/stage_progress.h"
#include "index/build/builder.h"
#include "index/columns/check_columns.h"
#include "index/columns/column_sections.h"
#include "index/columns/joined_schema.h"
#include "index/external_ids.h"
#include "index/index_access.h"
#include "index/index_impl.h"
#include "index/model_access.h"
#include "index/segment/id_lookup.h"
#include "index/segment/row_decoder.h"
#include "index/segment/segment_file.h"
#include "index/segment/segment_set.h"
#include "index/tune/tuning.h"

namespace obliq {
namespace {

[[noreturn]] void refuse_id(std::int64_t id) {
  throw std::invalid_argument(fmt::format("id {} is not in the index", id));
}

}  // namespace

Index::Index(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Index::Index(Index&&) noexcept = default;
Index& Index::operator=(Index&&) noexcept = default;
Index::~Index() = default;

Index Index::copy() const {
  return Index(std::make_unique<Impl>(impl_->set, impl_->planner.tuning(), impl_->facts));
}

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
  Tuning found = tune_opened(impl_->set, rows, learn_queries, impl_->planner.tuning(),
                             {options.threads, stages.callback(), options.neighbours});
  stages.end();
  impl_->planner.set_tuning(std::move(found));
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
  CollectionFacts facts = {std::make_shared<const ColumnSchema>(joined_schema(columns))};
  return Index(
      std::make_unique<Impl>(SegmentSet(shared, std::move(opened)), Tuning{}, std::move(facts)));
}

void Index::save(const std::string& path) const {
  const std::vector<Segment>& segments = impl_->set.segments();
  if (segments.size() != 1) {
    throw std::invalid_argument(fmt::format(
        "an index of {} segments is not saved to one file: merge them", segments.size()));
  }
  Segment whole = segments.front();
  whole.tuning = impl_->planner.tuning();
  save_index(whole, path);
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
                        bool has_changed, CollectionFacts facts) {
  return Index(std::make_unique<Index::Impl>(std::move(set), std::move(tuning), std::move(facts),
                                             std::move(pools), has_changed));
}

IndexParts& IndexAccess::parts(const Index& index) { return *index.impl_; }

const SegmentSet& IndexAccess::segments(const Index& index) { return index.impl_->set; }

Tuning IndexAccess::tuning(const Index& index) { return index.impl_->planner.tuning(); }

void IndexAccess::set_tuning(Index& index, Tuning tuning) {
  index.impl_->planner.set_tuning(std::move(tuning));
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
  stats.tuning = impl_->planner.tuning();
  return stats;
}

}  // namespace obliq

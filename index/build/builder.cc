// A build in five steps, each a value that the next one needs:
//
//     plan     options, checked; sizes, and how memory is divided          build_plan.h
//     sample   rows spread over the base                                   sample.h
//     parts    what is learnt from them                                    trained_parts.h
//     encoded  codes and factors of all vectors, in the order of the base  base_encoder.h
//     lists    where each entry lies, and the units of its list            placed_lists.h
//
// The base is read twice, for the sample and to be encoded, and once more by
// tuning, which without queries also reads its learn rows.
#include "index/build/builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "core/stage_progress.h"
#include "index/build/base_encoder.h"
#include "index/build/build_plan.h"
#include "index/build/placed_lists.h"
#include "index/build/router_blocks.h"
#include "index/build/sample.h"
#include "index/build/trained_parts.h"
#include "index/segment/segment_writer.h"
#include "index/tune/tuning.h"
#include "storage/output_target.h"

namespace obliq {
namespace {

/// The bytes behind the spans of a built segment.
struct SegmentBytes {
  std::vector<float> mean;
  ListGroups groups;
  CodedCentroids centroids;
  std::vector<ListRecord> lists;
  std::vector<std::uint8_t> quantizer_state, blocks, rows, router_blocks, raw;
  std::vector<std::int64_t> ids;
};

QuantizerPtr untrained_quantizer(const BuildPlan& plan) {
  auto quantizer = make_quantizer(plan.options.quantizer, plan.dim, plan.options.seed);
  if (plan.options.train_queries.rows > 0 && !quantizer->learns()) {
    throw std::invalid_argument(fmt::format(
        "quantizer '{}' learns nothing from training queries; leave them out, or take one with "
        "':query'",
        quantizer->spec()));
  }
  return quantizer;
}

SegmentInfo info_of(const BuildPlan& plan, const TrainedParts& parts, const PlacedLists& lists) {
  SegmentInfo info;
  info.n = plan.n;
  info.dim = plan.dim;
  info.nlist = plan.nlist;
  info.seed = plan.options.seed;
  info.metric = static_cast<std::uint32_t>(plan.options.metric);
  info.raw = static_cast<std::uint16_t>(parts.raw_form);
  info.names_primaries = lists.row_shape().primary() > 0 ? 1 : 0;
  info.scale = parts.transform->scale();
  info.list_weight = parts.list_weight;
  const std::string spec = parts.quantizer->spec();
  std::copy_n(spec.data(), std::min(spec.size(), sizeof info.quantizer - 1), info.quantizer);
  if (plan.n == 0) return info;
  info.entries = lists.entries();
  info.sine = lists.sine();
  info.row_tangent = lists.row_tangent();
  info.typical_norm = lists.typical_norm();
  return info;
}

// All but blocks, rows and raw tier; the spans point into `bytes`.
Segment make_segment(const BuildPlan& plan, TrainedParts parts, const PlacedLists& lists,
                     const std::shared_ptr<SegmentBytes>& bytes) {
  Segment segment;
  segment.info = info_of(plan, parts, lists);
  segment.spilled = lists.spilled();
  segment.row_shape = lists.row_shape();
  if (plan.n > 0) {
    bytes->router_blocks = sign_centroids(
        {plan.options.metric, parts.list_weight, parts.centroids.view(), lists.lists()},
        *parts.quantizer, segment.info.router);
  }
  bytes->mean = parts.transform->mean();
  bytes->groups = std::move(parts.groups);
  bytes->centroids = std::move(parts.codes);
  bytes->lists = lists.lists();
  bytes->quantizer_state = std::move(parts.quantizer_state);
  const MatrixView<std::int64_t> ids = plan.options.ids;
  if (ids.rows > 0) bytes->ids.assign(ids.data, ids.data + plan.n);
  segment.quantizer = std::move(parts.quantizer);
  segment.transform = std::move(parts.transform);
  segment.mean = bytes->mean;
  segment.groups = bytes->groups.records;
  segment.group_panels = bytes->groups.panels;
  segment.centroid_levels = bytes->centroids.levels;
  segment.far_lists = bytes->centroids.far_lists;
  segment.far_points = bytes->centroids.far_points;
  segment.lists = bytes->lists;
  count_lists(segment);
  segment.quantizer_state = bytes->quantizer_state;
  segment.router_blocks = bytes->router_blocks;
  segment.ids = bytes->ids;
  segment.owner = bytes;
  return segment;
}

}  // namespace

Segment build_segment(const VectorSource& base, const BuildOptions& options) {
  if (options.max_memory > 0) {
    throw std::invalid_argument(
        "max_memory bounds a build into a file: name one (Index::build_file), or leave it out");
  }
  const BuildPlan plan(base, options, "");
  TrainedParts parts = train(plan, untrained_quantizer(plan), take_sample(plan));
  PlacedLists lists(plan, parts, encode_base(plan, parts));
  const auto bytes = std::make_shared<SegmentBytes>();
  Segment segment = make_segment(plan, std::move(parts), lists, bytes);
  bytes->blocks.reserve(segment.info.entries / kBlockEntries * block_bytes(plan.dim));
  lists.write_blocks([&](std::span<const std::uint8_t> made) {
    bytes->blocks.insert(bytes->blocks.end(), made.begin(), made.end());
  });
  lists.write_rows({});
  bytes->rows = lists.rows().take();
  bytes->raw = lists.raw().take();
  segment.blocks = bytes->blocks;
  segment.rows = bytes->rows;
  segment.raw = bytes->raw;
  return segment;
}

void build_segment_file(const VectorSource& base, const BuildOptions& asked,
                        const std::string& path) {
  StageProgress stages(asked.progress);
  BuildOptions options = asked;
  options.progress = stages.callback();
  const BuildPlan plan(base, options, staging_folder(path));
  TrainedParts parts = train(plan, untrained_quantizer(plan), take_sample(plan));
  auto lists = std::make_unique<PlacedLists>(plan, parts, encode_base(plan, parts));
  Segment segment = make_segment(plan, std::move(parts), *lists, std::make_shared<SegmentBytes>());
  const std::size_t piece = std::min(plan.piece_bytes, std::size_t{1} << 24);
  SegmentWriter writer(path, segment);
  report(options.progress, "write", 0);
  lists->write_blocks(writer.begin("blocks"));
  report(options.progress, "write", .2);
  const ByteSink rows = writer.begin("rows");
  lists->write_rows(rows);
  if (lists->rows().in_memory()) writer.append(lists->rows(), piece);
  (void)writer.begin("raw");
  writer.append(lists->raw(), piece);
  lists.reset();  // what tuning does not need
  writer.finish([&](Segment& written) {
    if (options.tune) {
      written.tuning =
          tune_built(written, base, options.train_queries, {options.threads, options.progress});
    }
    stages.end();
  });
}

}  // namespace obliq

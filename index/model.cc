// The public face of models: checks what callers give, then hands over to training, encoder and
// merge.
#include "obliq/model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/parallel.h"
#include "core/sample_key.h"
#include "core/stage_progress.h"
#include "index/build/build_plan.h"
#include "index/build/builder.h"
#include "index/build/merge.h"
#include "index/build/merge_columns.h"
#include "index/build/train.h"
#include "index/columns/arrange_columns.h"
#include "index/columns/check_columns.h"
#include "index/external_ids.h"
#include "index/model_access.h"
#include "index/search/prepared_query.h"
#include "index/search/router.h"
#include "index/search/stop_rule.h"
#include "index/segment/model_file.h"
#include "index/segment/raw_tier.h"
#include "index/segment/segment_file.h"
#include "index/segment/segment_set.h"

namespace obliq {
namespace {

// How many vectors are read, and encoded before they are staged, at a time.
struct EncodeShares {
  std::size_t chunk_rows;
  std::size_t run_rows;
};

EncodeShares divide(const TrainedModel& model, const EncodeOptions& options) {
  constexpr std::size_t kLeastRows = 1024;
  constexpr std::size_t kKept = std::size_t{16} << 20;
  const std::size_t dim = model.dim();
  const std::size_t chunk = usual_chunk(dim);
  const std::size_t max_memory = options.max_memory;
  if (max_memory == 0) return {chunk, std::numeric_limits<std::size_t>::max()};
  const std::size_t encoded = bytes_encoded(dim, raw_bytes(RawTier::fp32, dim),  // at the most
                                            arranging_bytes(options.columns));
  const std::size_t least =
      kLeastRows * (bytes_on_the_way(dim) + encoded) + model.nlist() * (8 * dim + 512) + kKept;
  if (max_memory < least) {
    throw std::invalid_argument(
        fmt::format("max_memory of {} bytes is too little to encode with this model; allow {} or "
                    "more",
                    max_memory, least));
  }
  const std::size_t half = (max_memory - least) / 2;
  return {std::min(chunk, kLeastRows + half / bytes_on_the_way(dim)), kLeastRows + half / encoded};
}

void check_encode(const TrainedModel& model, const VectorSource& vectors,
                  const EncodeOptions& options) {
  const std::size_t n = vectors.rows();
  if (vectors.dim() != model.dim()) {
    throw std::invalid_argument(
        fmt::format("vectors have dim {}, the model has {}", vectors.dim(), model.dim()));
  }
  const auto& ids = options.ids;
  if (ids.rows > 0 && (ids.rows != n || ids.cols != 1)) {
    throw std::invalid_argument(
        fmt::format("ids are {} x {}, expected {} x 1", ids.rows, ids.cols, n));
  }
  if (ids.rows > 0 && options.first > 0) {
    throw std::invalid_argument(
        fmt::format("first is {}, the position from which ids count where none are given: leave "
                    "first or ids out",
                    options.first));
  }
  if (options.first >= kNoList || n >= kNoList - options.first) {
    throw std::invalid_argument(fmt::format(
        "{} vectors from position {} on are too many for one index: give ids, and merge ranges of "
        "lists",
        n, options.first));
  }
  check_ids(ids);
  check_columns(options.columns, n);
  if (n > 0 && model.nlist() == 0) {
    throw std::invalid_argument(
        "the model has no lists, since it was trained on no vectors: train one to encode with");
  }
  const Quantizer& quantizer = *model.quantizer;
  if (n > 0 && quantizer.learns() && quantizer.state().empty() && model.encoder_state.empty()) {
    throw std::invalid_argument(
        fmt::format("an index does not keep what the encoder of '{}' has learnt: encode with the "
                    "model that train wrote",
                    quantizer.spec()));
  }
}

void check_parts(std::span<const SearchResult> parts, std::size_t k) {
  if (k == 0) throw std::invalid_argument("k must be 1 or more");
  for (const SearchResult& part : parts) {
    const std::size_t queries = parts.front().ids.rows;
    if (part.ids.rows != queries) {
      throw std::invalid_argument(
          fmt::format("parts have answers to {} and to {} queries", queries, part.ids.rows));
    }
    if (part.distances.rows != queries || part.distances.cols != part.ids.cols) {
      throw std::invalid_argument(
          fmt::format("a part has distances {} x {} and ids {} x {}: give those of one search",
                      part.distances.rows, part.distances.cols, part.ids.rows, part.ids.cols));
    }
    for (std::size_t i = 0; i < part.distances.values.size(); ++i) {
      if (!std::isnan(part.distances.values[i])) continue;
      throw std::invalid_argument(
          fmt::format("a part has a distance of NaN to query {}, which has no place in an order: "
                      "leave that answer out (id -1)",
                      i / part.distances.cols));
    }
  }
}

void check_memory(const MergeOptions& options, std::size_t segments, const TrainedModel& model,
                  std::size_t for_columns) {
  const std::size_t least = merge_bytes(model, segments) + for_columns;
  if (options.max_memory == 0 || options.max_memory >= least) return;
  throw std::invalid_argument(fmt::format(
      "max_memory of {} bytes is too little to merge {} segments of {} lists; allow {} or more",
      options.max_memory, segments, model.nlist(), least));
}

std::string describe(ListRange range) { return fmt::format("{}:{}", range.first, range.end); }

}  // namespace

struct OBLIQ_HIDDEN Model::Impl {
  std::shared_ptr<const TrainedModel> model;
};

Model::Model(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

std::shared_ptr<const TrainedModel> ModelAccess::get(const Model& model) {
  return model.impl_->model;
}

Model ModelAccess::make(std::shared_ptr<const TrainedModel> model) {
  return Model(std::make_shared<const Model::Impl>(Model::Impl{std::move(model)}));
}

Model Model::train(const VectorSource& vectors, const BuildOptions& options, std::size_t n) {
  check_ids(options.ids);
  StageProgress stages(options.progress);
  BuildOptions own = options;
  own.progress = stages.callback();
  const BuildPlan plan(vectors, n == 0 ? vectors.rows() : n, own, ".");
  auto impl = std::make_shared<const Impl>(Impl{train_model(plan)});
  stages.end();
  return Model(std::move(impl));
}

Model Model::train(MatrixView<float> vectors, const BuildOptions& options, std::size_t n) {
  return train(MatrixSource(vectors), options, n);
}

Model Model::open(const std::string& path, const OpenOptions& options) {
  return Model(std::make_shared<const Impl>(Impl{open_model(path, options)}));
}

void Model::save(const std::string& path) const { save_model(*impl_->model, path); }

void Model::encode(const VectorSource& vectors, const std::string& path,
                   const EncodeOptions& options) const {
  check_encode(*impl_->model, vectors, options);
  StageProgress stages(options.progress);
  const EncodeShares shares = divide(*impl_->model, options);
  EncodeInput input = {vectors};
  input.ids = options.ids;
  input.first = options.first;
  input.columns = options.columns;
  input.truth = options.truth && !impl_->model->learn_ids.empty();
  input.threads = options.threads;
  input.progress = stages.callback();
  input.chunk_rows = shares.chunk_rows;
  encode_file(impl_->model, input, std::min(shares.run_rows, vectors.rows()), path,
              [&] { stages.end(); });
}

void Model::encode(MatrixView<float> vectors, const std::string& path,
                   const EncodeOptions& options) const {
  encode(MatrixSource(vectors), path, options);
}

Matrix<std::uint32_t> Model::route(MatrixView<float> queries, std::size_t nprobe,
                                   int threads) const {
  return rank(queries, nprobe, threads).lists;
}

RankedLists Model::rank(MatrixView<float> queries, std::size_t nprobe, int threads) const {
  const TrainedModel& model = *impl_->model;
  if (queries.cols != model.dim()) {
    throw std::invalid_argument(
        fmt::format("queries have dim {}, the model has {}", queries.cols, model.dim()));
  }
  if (nprobe == 0) throw std::invalid_argument("nprobe must be 1 or more");
  require_finite(queries, "query", 0, model.metric());
  nprobe = std::min(nprobe, model.nlist());
  RankedLists ranked = {Matrix<std::uint32_t>(queries.rows, nprobe),
                        Matrix<float>(queries.rows, nprobe), Matrix<float>(queries.rows, 2)};
  if (nprobe == 0) return ranked;
  const SegmentSet none(impl_->model);
  const Router router(none);
  parallel_for(queries.rows, 16, threads, [&](std::size_t begin, std::size_t end, int) {
    PreparedQuery query(model);
    RouteScratch scratch;
    SearchCounters counters;
    std::vector<Probe> probes;
    for (std::size_t q = begin; q < end; ++q) {
      query.set(queries.row(q));
      router.route(query, nprobe, nprobe, scratch, probes, counters);
      const StopScale scale(model.metric(), query.slope(), query.offset(), model.info.typical_norm);
      for (std::size_t i = 0; i < nprobe; ++i) {
        ranked.lists.row(q)[i] = probes[i].list;
        ranked.keys.row(q)[i] = scale.key(probes[i].key);
      }
      ranked.scale.row(q)[0] = scale.rise();
      ranked.scale.row(q)[1] = scale.at_zero();
    }
  });
  return ranked;
}

Matrix<float> Model::learn_queries() const {
  const TrainedModel& model = *impl_->model;
  Matrix<float> queries(model.learn_ids.size(), model.dim());
  std::copy(model.learn.begin(), model.learn.end(), queries.values.begin());
  return queries;
}

std::vector<std::int64_t> Model::learn_ids() const {
  return {impl_->model->learn_ids.begin(), impl_->model->learn_ids.end()};
}

ModelStats Model::stats() const {
  const TrainedModel& model = *impl_->model;
  ModelStats stats;
  stats.id = model.info.id;
  stats.n = model.info.n;
  stats.dim = model.dim();
  stats.nlist = model.nlist();
  stats.list_groups = std::max<std::size_t>(1, model.groups.size());
  stats.metric = model.metric();
  stats.quantizer = model.info.quantizer;
  stats.raw = model.raw_tier();
  stats.spill = model.info.spill;
  stats.learn_queries = model.learn_ids.size();
  stats.seed = model.info.seed;
  return stats;
}

std::uint64_t sample_key(std::uint64_t seed, std::int64_t id) { return key_in_sample(seed, id); }

void merge(const Model& model, std::span<const std::string> segments, const std::string& path,
           const MergeOptions& options) {
  const auto shared = ModelAccess::get(model);
  const auto nlist = static_cast<std::uint32_t>(shared->nlist());
  MergePlan plan;
  const bool all = options.lists.first == 0 && options.lists.end == 0;
  plan.first_list = options.lists.first;
  plan.end_list = all ? nlist : options.lists.end;
  if (!all && (plan.first_list >= plan.end_list || plan.end_list > nlist)) {
    throw std::invalid_argument(fmt::format("lists {} are none of the model's, which are 0:{}",
                                            describe(options.lists), nlist));
  }
  plan.as_index = !options.as_segment && plan.first_list == 0 && plan.end_list == nlist;
  plan.tune = options.tune;
  plan.keep_last = options.duplicates == MergeOptions::Duplicates::last;
  plan.deleted = options.deleted;
  plan.threads = options.threads;
  check_memory(options, segments.size(), *shared, 0);
  StageProgress stages(options.progress);
  plan.progress = stages.callback();
  std::vector<MergeSource> sources;
  for (const std::string& segment : segments) {
    // What is damaged must not get right checksums.
    sources.push_back({open_segment(segment, shared, {.verify = true}), segment});
  }
  check_memory(options, segments.size(), *shared, merge_columns_bytes(sources));
  plan.ready = [&] { stages.end(); };
  merge_segments(shared, sources, plan, path);
}

SearchResult read_truth(const Model& model, const std::string& segment) {
  const Segment opened = open_segment(segment, ModelAccess::get(model), {});
  const std::size_t queries = opened.truth.ids.size() / Truth::kNeighbours;
  SearchResult result{Matrix<float>(queries, Truth::kNeighbours),
                      Matrix<std::int64_t>(queries, Truth::kNeighbours)};
  std::copy(opened.truth.distances.begin(), opened.truth.distances.end(),
            result.distances.values.begin());
  std::copy(opened.truth.ids.begin(), opened.truth.ids.end(), result.ids.values.begin());
  return result;
}

SearchResult merge_topk(std::span<const SearchResult> parts, std::size_t k) {
  check_parts(parts, k);
  const std::size_t queries = parts.empty() ? 0 : parts.front().ids.rows;
  SearchResult merged{Matrix<float>(queries, k), Matrix<std::int64_t>(queries, k)};
  std::vector<std::pair<float, std::int64_t>> all;
  for (std::size_t q = 0; q < queries; ++q) {
    all.clear();
    for (const SearchResult& part : parts) {
      for (std::size_t i = 0; i < part.ids.cols && part.ids.row(q)[i] != -1; ++i) {
        all.emplace_back(part.distances.row(q)[i], part.ids.row(q)[i]);
      }
    }
    std::sort(all.begin(), all.end());
    std::unordered_set<std::int64_t> seen;
    std::size_t kept = 0;
    for (const auto& [distance, id] : all) {
      if (kept == k) break;
      if (!seen.insert(id).second) continue;
      merged.distances.row(q)[kept] = distance;
      merged.ids.row(q)[kept++] = id;
    }
    for (; kept < k; ++kept) {
      merged.distances.row(q)[kept] = std::numeric_limits<float>::infinity();
      merged.ids.row(q)[kept] = -1;
    }
  }
  return merged;
}

}  // namespace obliq

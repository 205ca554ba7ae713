// The order of the steps follows from what they need: the transform, then centroids, the weight of
// a list's radius, groups of lists, codes of the centroids, and the quantizer, which learns from
// residuals to the centroids as decoded.
#include "index/build/train.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <utility>
#include <vector>

#include "core/kernels/dispatch.h"
#include "index/build/build_plan.h"
#include "index/build/kmeans.h"
#include "index/build/learn_margin.h"
#include "index/build/learn_transform.h"
#include "index/build/list_groups.h"
#include "index/build/list_weight.h"
#include "index/build/router_blocks.h"
#include "index/build/row_groups.h"
#include "index/build/sample.h"
#include "index/build/survey.h"
#include "index/build/training.h"
#include "index/segment/centroid_code.h"
#include "index/segment/list_counts.h"

namespace obliq {
namespace {

Matrix<float> first_rows(const VectorSource& sample, std::size_t most) {
  Matrix<float> rows(std::min(sample.rows(), most), sample.dim());
  sample.read(0, rows.rows, rows.values.data());
  return rows;
}

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

// Of k-means, or the given ones.
Matrix<float> find_centroids(const BuildPlan& plan, const VectorTransform& transform,
                             const VectorSource& sample) {
  const MatrixView<float> given = plan.options.centroids;
  if (given.rows == 0) {
    KMeansOptions how = {plan.nlist, plan.options.kmeans_iterations, plan.options.seed,
                         plan.options.threads, plan.options.progress};
    how.piece_rows = std::min(how.piece_rows, plan.chunk_rows);
    return kmeans(sample, how).centroids;
  }
  Matrix<float> centroids(given.rows, plan.dim);
  std::copy_n(given.data, given.size(), centroids.values.data());
  for (std::size_t l = 0; l < given.rows; ++l) {
    // A mean of unit vectors is none.
    if (transform.metric() != Metric::cosine) transform.scale(centroids.row(l));
    transform.centre(centroids.row(l));
    transform.rotate(centroids.row(l));
    if (is_bounded(kernels().dot(centroids.row(l), centroids.row(l), plan.dim))) continue;
    throw std::invalid_argument(fmt::format(
        "centroid {} is more than 10^18 times as long as most base vectors are; leave it out", l));
  }
  return centroids;
}

// Of fp16, the form that hides nothing by its rounding (raw_form.h).
RawForm choose_raw_form(const BuildPlan& plan, const VectorSource& sample,
                        const VectorTransform& transform) {
  constexpr std::size_t kEnough = 1024;
  if (plan.options.raw == RawTier::none) return RawForm::none;
  if (plan.options.raw == RawTier::fp32) return RawForm::single;
  const std::vector<float>& mean = transform.mean();
  const Matrix<float> rows = first_rows(sample, kEnough);
  double norm2 = 0;
  for (std::size_t i = 0; i < rows.rows; ++i) {
    norm2 += kernels().dot(rows.row(i), rows.row(i), rows.cols);
  }
  const double mean2 = kernels().dot(mean.data(), mean.data(), mean.size());
  const double radius2 = norm2 / static_cast<double>(rows.rows);
  return mean2 > kFarRadii * kFarRadii * radius2 ? RawForm::half_behind : RawForm::half;
}

float choose_list_weight(const BuildPlan& plan, const VectorSource& sample,
                         const Matrix<float>& centroids) {
  constexpr std::size_t kEnough = 1000;  // fewer tell little
  if (sample.rows() < kEnough || centroids.rows == 1) return kUsualListWeight;
  report(plan.options.progress, "order of lists", 0);
  return best_list_weight(entries_by_weight(plan.options.metric, sample, centroids.view(),
                                            plan.chunk_rows, plan.options.threads));
}

// Numbers the centroids by groups, whose records are returned where they are stored.
ListGroups make_groups(const BuildPlan& plan, Matrix<float>& centroids) {
  const std::size_t stored = choose_list_groups(plan.options.list_groups, centroids.rows);
  report(plan.options.progress, "group lists", 0);
  KMeansOptions how = {stored > 1 ? stored : count_groups(centroids.rows)};
  how.seed = plan.options.seed;
  how.threads = plan.options.threads;
  ListGroups groups = group_lists(centroids, how);
  if (stored > 1) return groups;
  return {{}, {}, std::move(groups.sizes)};
}

// The groups of centroids, as decoded, that an encoder looks at; all of them where that is as good.
RowGroups learn_near_groups(const BuildPlan& plan, const VectorSource& sample,
                            const Matrix<float>& centroids,
                            const std::vector<std::uint32_t>& sizes) {
  constexpr std::size_t kRows = 16384;
  constexpr double kMissed = 0.0005;  // at most .1 % is promised; the quantile is of eight rows
  if (!encodes_by_groups(plan.options.list_groups, centroids.rows)) return {};
  RowGroups groups = consecutive_groups(sizes, 0);
  const Matrix<float> rows = first_rows(sample, kRows);
  groups.margin =
      learn_margin(centroids.view(), groups, rows.view(), kMissed, plan.options.threads);
  return std::isfinite(groups.margin) ? std::move(groups) : RowGroups{};
}

// Bytes behind the spans of a model that was learnt.
struct ModelBytes {
  std::vector<float> mean;
  std::vector<std::uint8_t> quantizer_state, encoder_state, router_blocks;
  CodedCentroids centroids;
  std::vector<ListPoint> lists;
  ListGroups groups;
  std::vector<std::uint32_t> near_sizes;
  Sample sample;
};

class Trainer {
 public:
  explicit Trainer(const BuildPlan& plan)
      : plan_(plan),
        quantizer_(untrained_quantizer(plan)),
        bytes_(std::make_shared<ModelBytes>(
            ModelBytes{{}, {}, {}, {}, {}, {}, {}, {}, take_sample(plan)})) {}

  std::shared_ptr<const TrainedModel> train();

 private:
  void describe();
  void learn_lists();
  void train_quantizer();
  void show_bytes();

  const BuildPlan& plan_;
  const QuantizerPtr quantizer_;  // not trained
  std::shared_ptr<ModelBytes> bytes_;
  TrainedModel model_;
  std::unique_ptr<const VectorTransform> transform_;
  Matrix<float> centroids_;  // as decoded, once lists are learnt
  Survey survey_;
};

void Trainer::describe() {
  ModelInfo& info = model_.info;
  info.n = plan_.n;
  info.dim = plan_.dim;
  info.nlist = plan_.nlist;
  info.seed = plan_.options.seed;
  info.metric = static_cast<std::uint32_t>(plan_.options.metric);
  info.scale = transform_->scale();
  info.list_weight = kUsualListWeight;
  info.spill = static_cast<float>(*plan_.options.spill);
  const std::string spec = quantizer_->spec();
  std::copy_n(spec.data(), std::min(spec.size(), sizeof info.quantizer - 1), info.quantizer);
}

void Trainer::learn_lists() {
  const VectorSource& sample = bytes_->sample.rows;
  ModelInfo& info = model_.info;
  centroids_ = find_centroids(plan_, *transform_, sample);
  info.list_weight = choose_list_weight(plan_, sample, centroids_);
  bytes_->groups = make_groups(plan_, centroids_);
  report(plan_.options.progress, "survey", 0);
  bytes_->lists.resize(centroids_.rows);
  bytes_->centroids =
      code_centroids(centroids_.view(), rough_mean_r2(plan_, sample, centroids_), bytes_->lists);
  decode_centroids(bytes_->centroids, bytes_->lists, centroids_);
  const RowGroups near = learn_near_groups(plan_, sample, centroids_, bytes_->groups.sizes);
  if (near.count > 0) {
    bytes_->near_sizes = bytes_->groups.sizes;
    info.near_margin = near.margin;
  }
  survey_ = survey_sample(plan_, sample, centroids_, NearestRows(centroids_.view(), near));
  for (std::size_t l = 0; l < centroids_.rows; ++l) {
    bytes_->lists[l].mean_r2 = survey_.mean_r2[l];
  }
  info.mean_r2 = survey_.all_mean_r2;
  info.typical_norm = survey_.typical_norm;
  info.spill_threshold = survey_.spill_threshold;
  info.raw = static_cast<std::uint16_t>(choose_raw_form(plan_, sample, *transform_));
}

// A quantizer that learns nothing is as it was made.
void Trainer::train_quantizer() {
  if (!quantizer_->learns() || plan_.n == 0) return;
  report(plan_.options.progress, "train quantizer", 0);
  const Matrix<float> rows = first_rows(bytes_->sample.rows, plan_.quantizer_rows());
  const TrainingSample training =
      training_sample(*transform_, rows.view(), plan_.options.train_queries, centroids_.view(),
                      plan_.options.threads);
  const QuantizerPtr trained = quantizer_->train(
      {training.residuals.view(), training.queries.view(), plan_.options.threads});
  bytes_->quantizer_state = trained->state();
  bytes_->encoder_state = trained->encoder_state();
}

void Trainer::show_bytes() {
  model_.mean = bytes_->mean;
  model_.quantizer_state = bytes_->quantizer_state;
  model_.encoder_state = bytes_->encoder_state;
  model_.centroid_levels = bytes_->centroids.levels;
  model_.far_lists = bytes_->centroids.far_lists;
  model_.far_points = bytes_->centroids.far_points;
  model_.lists = bytes_->lists;
  model_.router_blocks = bytes_->router_blocks;
  model_.groups = bytes_->groups.records;
  model_.group_panels = bytes_->groups.panels;
  model_.near_sizes = bytes_->near_sizes;
  model_.learn = bytes_->sample.learn.values;
  model_.learn_ids = bytes_->sample.learn_ids;
  model_.owner = bytes_;
}

std::shared_ptr<const TrainedModel> Trainer::train() {
  transform_ = learn_transform(plan_, bytes_->sample.rows);
  describe();
  bytes_->mean = transform_->mean();
  if (plan_.n > 0) learn_lists();
  train_quantizer();
  show_bytes();
  complete(model_);
  if (plan_.n > 0) {
    measure_angles(survey_, centroids_.view(), model_);
    bytes_->router_blocks = sign_centroids(centroids_.view(), model_);
    model_.router_blocks = bytes_->router_blocks;
  }
  bytes_->sample.rows = StagedVectors(plan_.dim, {});
  model_.info.id = model_id(model_);
  return std::make_shared<const TrainedModel>(std::move(model_));
}

}  // namespace

std::shared_ptr<const TrainedModel> train_model(const BuildPlan& plan) {
  return Trainer(plan).train();
}

}  // namespace obliq

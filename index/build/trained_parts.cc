// The order of the steps follows from what they need: the transform, then centroids, the weight of
// a list's radius, groups of lists, codes of the centroids, and the quantizer, which learns from
// residuals to the centroids as decoded.
#include "index/build/trained_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <utility>
#include <vector>

#include "core/kernels/dispatch.h"
#include "index/build/kmeans.h"
#include "index/build/learn_transform.h"
#include "index/build/list_weight.h"
#include "index/build/staged_vectors.h"
#include "index/build/training.h"
#include "index/segment/list_counts.h"

namespace obliq {
namespace {

Matrix<float> read_thin(const VectorSource& sample, std::size_t most) {
  const ThinSource some(sample, std::min(sample.rows(), most));
  Matrix<float> rows(some.rows(), some.dim());
  some.read(0, rows.rows, rows.values.data());
  return rows;
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

// The mean |r|^2 of each list, by some rows of the sample; that of all where a list has fewer than
// two of them.
std::vector<float> survey_lists(const VectorSource& sample, const Matrix<float>& centroids,
                                int threads) {
  constexpr std::size_t kRowsPerList = 8;
  constexpr std::size_t kLeastRows = 1024;
  const std::size_t nlist = centroids.rows;
  const Matrix<float> rows = read_thin(sample, std::max(kLeastRows, kRowsPerList * nlist));
  std::vector<std::uint32_t> nearest(rows.rows);
  std::vector<float> distances(rows.rows);
  assign_nearest(rows.view(), centroids.view(), threads, nearest.data(), distances.data());
  std::vector<double> sums(nlist);
  std::vector<std::size_t> counts(nlist);
  for (std::size_t i = 0; i < rows.rows; ++i) {
    sums[nearest[i]] += distances[i];
    ++counts[nearest[i]];
  }
  const double all = std::accumulate(sums.begin(), sums.end(), 0.0);
  std::vector<float> means(nlist, static_cast<float>(all / static_cast<double>(rows.rows)));
  for (std::size_t l = 0; l < nlist; ++l) {
    if (counts[l] > 1) means[l] = static_cast<float>(sums[l] / static_cast<double>(counts[l]));
  }
  return means;
}

// Of fp16, the form that hides nothing by its rounding (raw_form.h).
RawForm choose_raw_form(const BuildPlan& plan, const VectorSource& sample,
                        const VectorTransform& transform) {
  constexpr std::size_t kEnough = 1024;
  if (plan.options.raw == RawTier::none) return RawForm::none;
  if (plan.options.raw == RawTier::fp32) return RawForm::single;
  const std::vector<float>& mean = transform.mean();
  const Matrix<float> rows = read_thin(sample, kEnough);
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

// Numbers the centroids by their groups.
ListGroups make_groups(const BuildPlan& plan, Matrix<float>& centroids) {
  const std::size_t groups = choose_list_groups(plan.options.list_groups, centroids.rows);
  if (groups == 1) return {};
  report(plan.options.progress, "group lists", 0);
  KMeansOptions how = {groups};
  how.seed = plan.options.seed;
  how.threads = plan.options.threads;
  return group_lists(centroids, how);
}

// With a bound on memory a part of the sample serves.
void train_quantizer(const BuildPlan& plan, const VectorSource& sample, TrainedParts& parts) {
  if (!parts.quantizer->learns()) return;
  report(plan.options.progress, "train quantizer", 0);
  const Matrix<float> rows =
      read_thin(sample, plan.options.max_memory == 0 ? plan.n : plan.chunk_rows);
  const TrainingSample training =
      training_sample(*parts.transform, rows.view(), plan.options.train_queries,
                      parts.centroids.view(), plan.options.threads);
  parts.quantizer = parts.quantizer->train(
      {training.residuals.view(), training.queries.view(), plan.options.threads});
  parts.quantizer_state = parts.quantizer->state();
}

}  // namespace

TrainedParts train(const BuildPlan& plan, QuantizerPtr quantizer, StagedVectors sample) {
  TrainedParts parts;
  parts.quantizer = std::move(quantizer);
  parts.list_weight = kUsualListWeight;
  parts.transform = learn_transform(plan, sample);
  if (plan.n == 0) return parts;
  parts.centroids = find_centroids(plan, *parts.transform, sample);
  parts.list_weight = choose_list_weight(plan, sample, parts.centroids);
  parts.groups = make_groups(plan, parts.centroids);
  parts.lists.resize(parts.centroids.rows);
  const std::vector<float> mean_r2 = survey_lists(sample, parts.centroids, plan.options.threads);
  parts.codes = code_centroids(parts.centroids.view(), mean_r2, parts.lists);
  decode_centroids(parts.codes, parts.lists, parts.centroids);
  parts.raw_form = choose_raw_form(plan, sample, *parts.transform);
  train_quantizer(plan, sample, parts);
  return parts;
}

}  // namespace obliq

// The order of the steps follows from what they need: the mean, then centroids, which still hold
// it, then the weight of a list's radius, then, without the mean, groups, codes of the centroids,
// and the quantizer, which learns from residuals to the centroids as decoded.
#include "index/build/trained_parts.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "index/build/kmeans.h"
#include "index/build/list_weight.h"
#include "index/build/staged_vectors.h"
#include "index/build/training.h"
#include "index/build/typical_rows.h"
#include "index/segment/list_counts.h"

namespace obliq {
namespace {

void subtract(const std::vector<float>& mean, Matrix<float>& rows) {
  for (std::size_t i = 0; i < rows.rows; ++i) {
    for (std::size_t j = 0; j < rows.cols; ++j) rows.row(i)[j] -= mean[j];
  }
}

Matrix<float> read_thin(const VectorSource& sample, std::size_t most) {
  const ThinSource some(sample, std::min(sample.rows(), most));
  Matrix<float> rows(some.rows(), some.dim());
  some.read(0, rows.rows, rows.values.data());
  return rows;
}

// The mean of the typical rows: a few vectors far away must not pull the origin from the rest,
// which sets the precision of queries.
std::vector<float> robust_mean(const VectorSource& rows, std::size_t piece) {
  const std::vector<bool> typical = are_typical(rows, piece);
  std::vector<double> sum(rows.dim());
  Matrix<float> buffer;
  for (std::size_t first = 0; first < rows.rows(); first += piece) {
    const auto x = rows_of(rows, first, std::min(piece, rows.rows() - first), buffer);
    for (std::size_t i = 0; i < x.rows; ++i) {
      for (std::size_t j = 0; typical[first + i] && j < x.cols; ++j) sum[j] += x.row(i)[j];
    }
  }
  const auto count = static_cast<double>(std::count(typical.begin(), typical.end(), true));
  std::vector<float> mean;
  mean.reserve(sum.size());
  for (const double coordinate : sum) mean.push_back(static_cast<float>(coordinate / count));
  return mean;
}

// Of k-means, or the given ones; the mean is in them, as in the sample.
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
  for (std::size_t l = 0; l < given.rows; ++l) transform.rotation().apply(centroids.row(l));
  return centroids;
}

// Mean |r|^2 of some rows.
double mean_distance2(const VectorSource& sample, const Matrix<float>& centroids, int threads) {
  constexpr std::size_t kEnough = 1024;
  const Matrix<float> rows = read_thin(sample, kEnough);
  std::vector<std::uint32_t> nearest(rows.rows);
  std::vector<float> distances(rows.rows);
  assign_nearest(rows.view(), centroids.view(), threads, nearest.data(), distances.data());
  return std::accumulate(distances.begin(), distances.end(), 0.0) / static_cast<double>(rows.rows);
}

// Requires the mean to be in the centroids as it is in the sample.
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
  Matrix<float> rows = read_thin(sample, plan.options.max_memory == 0 ? plan.n : plan.chunk_rows);
  subtract(parts.transform->mean(), rows);
  const TrainingSample training =
      training_sample(*parts.transform, rows.view(), plan.options.train_queries,
                      parts.centroids.view(), plan.options.threads);
  parts.quantizer = parts.quantizer->train(
      {training.residuals.view(), training.queries.view(), plan.options.threads});
  parts.quantizer_state = parts.quantizer->state();
}

}  // namespace

TrainedParts train(const BuildPlan& plan, std::unique_ptr<VectorTransform> transform,
                   QuantizerPtr quantizer, const VectorSource& sample) {
  TrainedParts parts;
  parts.quantizer = std::move(quantizer);
  parts.list_weight = kUsualListWeight;
  if (plan.n == 0) {
    parts.transform = std::move(transform);
    return parts;
  }
  if (plan.options.metric != Metric::ip) {
    transform->set_mean(robust_mean(sample, plan.chunk_rows));
  }
  parts.transform = std::move(transform);
  parts.centroids = find_centroids(plan, *parts.transform, sample);
  const double mean_r2 = mean_distance2(sample, parts.centroids, plan.options.threads);
  parts.list_weight = choose_list_weight(plan, sample, parts.centroids);
  subtract(parts.transform->mean(), parts.centroids);
  parts.groups = make_groups(plan, parts.centroids);
  parts.lists.resize(parts.centroids.rows);
  parts.codes = code_centroids(parts.centroids.view(), mean_r2, parts.lists);
  decode_centroids(parts.codes, parts.lists, parts.centroids);
  train_quantizer(plan, sample, parts);
  return parts;
}

}  // namespace obliq

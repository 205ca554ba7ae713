// Each row gets its lists as an encoder would give them; the losses of their second ones give the
// threshold of spilling, as the quantile that makes the share that is asked for.
#include "index/build/survey.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/kernels/dispatch.h"
#include "index/build/kmeans.h"
#include "index/build/residual_encoder.h"
#include "index/build/staged_vectors.h"

namespace obliq {
namespace {

constexpr std::size_t kRowsPerList = 32;
constexpr std::size_t kLeastRows = 4096;
constexpr std::size_t kRoughPerList = 8;
constexpr std::size_t kLeastRough = 1024;
constexpr std::size_t kCodedFloats = std::size_t{1} << 21;  // of rows whose codes are measured
constexpr std::size_t kLeastCoded = 64;
constexpr std::size_t kEnough = 4;  // rows that tell a list's mean

void find_means(const std::vector<float>& distances, std::size_t nlist, Survey& survey) {
  std::vector<double> sums(nlist);
  std::vector<std::size_t> counts(nlist);
  double all = 0;
  for (std::size_t i = 0; i < distances.size(); ++i) {
    sums[survey.choices[i].primary] += distances[i];
    ++counts[survey.choices[i].primary];
    all += distances[i];
  }
  survey.all_mean_r2 = static_cast<float>(all / static_cast<double>(distances.size()));
  survey.mean_r2.assign(nlist, survey.all_mean_r2);
  for (std::size_t l = 0; l < nlist; ++l) {
    if (counts[l] < kEnough) continue;
    survey.mean_r2[l] = static_cast<float>(sums[l] / static_cast<double>(counts[l]));
  }
}

float threshold_of(const std::vector<ListChoice>& choices, double spill) {
  if (spill <= 0) return 0;
  if (spill >= 1) return std::numeric_limits<float>::infinity();
  std::vector<float> losses;
  losses.reserve(choices.size());
  for (const ListChoice& choice : choices) losses.push_back(choice.loss);
  const auto place = static_cast<std::size_t>(spill * static_cast<double>(losses.size()));
  const auto quantile = losses.begin() + static_cast<std::ptrdiff_t>(place);
  std::nth_element(losses.begin(), quantile, losses.end());
  return *quantile;
}

}  // namespace

std::vector<float> rough_mean_r2(const BuildPlan& plan, const VectorSource& sample,
                                 const Matrix<float>& centroids) {
  const std::size_t count =
      std::min(sample.rows(), std::max(kLeastRough, kRoughPerList * centroids.rows));
  const NearestRows search(centroids.view());
  Survey survey;
  survey.choices.resize(count);
  std::vector<std::uint32_t> nearest(plan.chunk_rows);
  std::vector<float> distances;
  Matrix<float> buffer;
  for (std::size_t first = 0; first < count; first += plan.chunk_rows) {
    const MatrixView<float> x =
        rows_of(sample, first, std::min(plan.chunk_rows, count - first), buffer);
    assign_nearest(x, search, plan.options.threads, nearest.data());
    for (std::size_t i = 0; i < x.rows; ++i) {
      survey.choices[first + i].primary = nearest[i];
      distances.push_back(kernels().l2_sqr(x.row(i), centroids.row(nearest[i]), plan.dim));
    }
  }
  find_means(distances, centroids.rows, survey);
  return survey.mean_r2;
}

Survey survey_sample(const BuildPlan& plan, const VectorSource& sample,
                     const Matrix<float>& centroids, const NearestRows& search) {
  const std::size_t count =
      std::min(sample.rows(), std::max(kLeastRows, kRowsPerList * centroids.rows));
  Survey survey;
  survey.rows =
      Matrix<float>(std::min(count, std::max(kCodedFloats / plan.dim, kLeastCoded)), plan.dim);
  sample.read(0, survey.rows.rows, survey.rows.values.data());
  survey.choices.resize(count);
  std::vector<float> distances(count);
  double norm2 = 0;
  Matrix<float> buffer;
  for (std::size_t first = 0; first < count; first += plan.chunk_rows) {
    const MatrixView<float> x =
        rows_of(sample, first, std::min(plan.chunk_rows, count - first), buffer);
    choose_lists(x, centroids.view(), search, plan.options.threads, survey.choices.data() + first);
    for (std::size_t i = 0; i < x.rows; ++i) {
      const float* c = centroids.row(survey.choices[first + i].primary);
      distances[first + i] = kernels().l2_sqr(x.row(i), c, plan.dim);
      norm2 += kernels().dot(x.row(i), x.row(i), plan.dim);
    }
  }
  find_means(distances, centroids.rows, survey);
  const double norm = std::sqrt(norm2 / static_cast<double>(count));
  if (norm > 0) survey.typical_norm = static_cast<float>(norm);
  if (centroids.rows > 1) {
    survey.spill_threshold = threshold_of(survey.choices, *plan.options.spill);
  }
  return survey;
}

void measure_angles(const Survey& survey, MatrixView<float> centroids, TrainedModel& model) {
  const std::size_t count = survey.rows.rows;
  ResidualEncoder encoder(*model.quantizer, model.metric());
  std::vector<EncodedNumbers> numbers(count);
  std::vector<std::uint8_t> signs(plane_bytes(model.dim()));
  std::vector<std::uint8_t> rest(model.row_shape.rest * count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t list = survey.choices[i].primary;
    encoder.add({survey.rows.row(i), centroids.row(list), model.far_point(list) != nullptr,
                 signs.data(), rest.data() + i * model.row_shape.rest, &numbers[i]});
  }
  encoder.flush();
  double sine2 = 0;
  double tangent2 = 0;
  for (const EncodedNumbers& coded : numbers) {
    sine2 += coded.sine2;
    tangent2 += coded.tangent2;
  }
  model.info.sine = static_cast<float>(std::sqrt(sine2 / static_cast<double>(count)));
  model.info.row_tangent = static_cast<float>(std::sqrt(tangent2 / static_cast<double>(count)));
}

}  // namespace obliq

// Our k-means against FAISS's: same vectors, clusters and iterations. Index build time is our
// product, so k-means is ours; its objective must not be worse.
#include "index/build/kmeans.h"

#include <faiss/Clustering.h>
#include <faiss/IndexFlat.h>
#include <gtest/gtest.h>

#include "datasets/dataset.h"
#include "tests/index/cases.h"

namespace obliq {
namespace {

double mean_squared_distance(const Matrix<float>& x, MatrixView<float> centroids) {
  std::vector<std::uint32_t> nearest(x.rows);
  std::vector<float> distances(x.rows);
  assign_nearest(x.view(), centroids, 0, nearest.data(), distances.data());
  double sum = 0;
  for (const float distance : distances) sum += distance;
  return sum / static_cast<double>(x.rows);
}

double faiss_objective(const Matrix<float>& x, std::size_t clusters, int iterations) {
  const auto dim = static_cast<int>(x.cols);
  faiss::ClusteringParameters parameters;
  parameters.niter = iterations;
  parameters.min_points_per_centroid = 1;
  faiss::Clustering clustering(dim, static_cast<int>(clusters), parameters);
  faiss::IndexFlatL2 assigner(dim);
  clustering.train(static_cast<faiss::Index::idx_t>(x.rows), x.values.data(), assigner);
  return mean_squared_distance(x, {clustering.centroids.data(), clusters, x.cols});
}

TEST(KMeansBesideFaiss, ReachesItsObjectiveWithinOnePercentAtEqualIterations) {
  const auto sample =
      datasets::read_set(OBLIQ_SOURCE_DIR "/datasets/sample/sample-384-angular.hdf5");
  // Behind the transform, as in an index: the start looks at the first rotated coordinates.
  Matrix<float> sentences = sample.train;
  const VectorTransform transform(Metric::cosine, sentences.cols, 1);
  for (std::size_t i = 0; i < sentences.rows; ++i) transform.apply(sentences.row(i));
  const Matrix<float> clusters = testing::clustered(8000, 32, 1, 300);
  for (const Matrix<float>* x : {&std::as_const(sentences), &clusters}) {
    for (const std::size_t k : {20UL, 200UL}) {
      const double theirs = faiss_objective(*x, k, 10);
      const auto ours = kmeans(x->view(), {k, 10, 1, 0, {}});
      EXPECT_LE(mean_squared_distance(*x, ours.centroids.view()), 1.01 * theirs)
          << k << " clusters of dim " << x->cols;
    }
  }
}

}  // namespace
}  // namespace obliq

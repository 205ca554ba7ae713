// A query's product with the centroid of a near list is one integer dot product and two factors;
// that with a far one is taken from its floats.
#include "index/segment/centroid_code.h"

#include <algorithm>
#include <cmath>

#include "core/kernels/dispatch.h"
#include "core/largest.h"

namespace obliq {
namespace {

constexpr float kMaxLevel = 127;
constexpr int kMaxByte = 128;  // files may hold -128, too

void decode(const std::int8_t* levels, float scale, std::size_t dim, float* out) {
  for (std::size_t i = 0; i < dim; ++i) out[i] = scale * static_cast<float>(levels[i]);
}

}  // namespace

CodedCentroids code_centroids(MatrixView<float> centroids, std::span<const float> mean_r2,
                              std::span<ListPoint> points) {
  const std::size_t dim = centroids.cols;
  const auto& kernel = kernels();
  CodedCentroids coded{std::vector<std::int8_t>(centroids.size()), {}, {}};
  std::vector<float> decoded(dim);
  for (std::size_t l = 0; l < centroids.rows; ++l) {
    const float* c = centroids.row(l);
    std::int8_t* levels = coded.levels.data() + l * dim;
    // Never so small that its inverse overflows.
    const float scale = std::max(largest_size(c, dim) / kMaxLevel, 1e-36F);
    kernel.quantize_bytes(c, dim, 1 / scale, levels);
    points[l].centroid_scale = scale;
    points[l].centroid_norm2 = kernel.dot(c, c, dim);
    if (!mean_r2.empty() && points[l].centroid_norm2 > kFarRadii * kFarRadii * mean_r2[l]) {
      coded.far_lists.push_back(static_cast<std::uint32_t>(l));
      coded.far_points.insert(coded.far_points.end(), c, c + dim);
      continue;
    }
    decode(levels, scale, dim, decoded.data());
    points[l].centroid_norm2 = kernel.dot(decoded.data(), decoded.data(), dim);
  }
  return coded;
}

void decode_centroids(const CodedCentroids& coded, std::span<const ListPoint> points,
                      Matrix<float>& centroids) {
  const std::size_t dim = centroids.cols;
  for (std::size_t l = 0; l < centroids.rows; ++l) {
    decode(coded.levels.data() + l * dim, points[l].centroid_scale, dim, centroids.row(l));
  }
  for (std::size_t i = 0; i < coded.far_lists.size(); ++i) {
    std::copy_n(coded.far_points.data() + i * dim, dim, centroids.row(coded.far_lists[i]));
  }
}

void decode_centroid(const TrainedModel& model, std::size_t list, float* out) {
  const float* far = model.far_point(list);
  if (far != nullptr) {
    std::copy_n(far, model.dim(), out);
    return;
  }
  decode(model.centroid(list), model.lists[list].centroid_scale, model.dim(), out);
}

CentroidQuery::CentroidQuery(std::size_t dim) : integers_(dim, kMaxByte) {}

void CentroidQuery::set(const float* query, const ByteQuery& bytes) {
  query_ = query;
  bytes_ = bytes;
  if (bytes.values.empty()) {
    integers_.set(query);
    bytes_ = {{integers_.values(), integers_.dim()}, integers_.step()};
  }
  norm2_ = kernels().dot(query, query, integers_.dim());
}

CentroidDistance CentroidQuery::by_levels(const TrainedModel& model, std::size_t list) const {
  const ListPoint& point = model.lists[list];
  const std::int32_t sum =
      kernels().dot_bytes(model.centroid(list), bytes_.values.data(), model.dim());
  const float product = static_cast<float>(sum) * (bytes_.step * point.centroid_scale);
  return {product, std::max(0.0F, norm2_ + point.centroid_norm2 - 2 * product)};
}

CentroidDistance CentroidQuery::distance(const TrainedModel& model, std::size_t list) const {
  const float* far = model.far_point(list);
  if (far == nullptr) return by_levels(model, list);
  return {kernels().dot(query_, far, model.dim()), kernels().l2_sqr(query_, far, model.dim())};
}

}  // namespace obliq

// A query's product with a centroid is one integer dot product and two factors. Where the int8
// codes alone would add more than a thousandth to |r|^2, a second byte per dim refines them.
#include "index/segment/centroid_code.h"

#include <algorithm>
#include <cmath>

#include "core/kernels/dispatch.h"
#include "core/largest.h"

namespace obliq {
namespace {

constexpr float kMaxLevel = 127;
constexpr float kFineSteps = 254;  // in one level
constexpr double kMostError = 1e-3;
constexpr int kMaxByte = 128;       // files may hold -128, too
constexpr std::size_t kPart = 256;  // dims decoded at a time where nothing is kept

// What x lies off level, in fine steps.
std::int8_t fine_of(float x, float scale, std::int8_t level) {
  const float rest = std::rint((x / scale - static_cast<float>(level)) * kFineSteps);
  return static_cast<std::int8_t>(std::clamp(rest, -kMaxLevel, kMaxLevel));
}

void decode(const std::int8_t* levels, const std::int8_t* fine, float scale, std::size_t dim,
            float* out) {
  for (std::size_t i = 0; i < dim; ++i) out[i] = scale * static_cast<float>(levels[i]);
  for (std::size_t i = 0; fine != nullptr && i < dim; ++i) {
    out[i] += scale / kFineSteps * static_cast<float>(fine[i]);
  }
}

// c' of a list from dim `begin` on.
void decode_part(const Segment& segment, std::size_t list, std::size_t begin, std::size_t count,
                 float* out) {
  const std::size_t at = list * segment.dim() + begin;
  decode(segment.centroid_levels.data() + at,
         segment.centroid_fine.empty() ? nullptr : segment.centroid_fine.data() + at,
         segment.lists[list].centroid_scale, count, out);
}

}  // namespace

CodedCentroids code_centroids(MatrixView<float> centroids, double mean_r2,
                              std::span<ListRecord> records) {
  const std::size_t dim = centroids.cols;
  CodedCentroids coded{std::vector<std::int8_t>(centroids.size()), {}};
  std::vector<float> point(dim);
  double error2 = 0;
  for (std::size_t l = 0; l < centroids.rows; ++l) {
    const float* c = centroids.row(l);
    std::int8_t* levels = coded.levels.data() + l * dim;
    // Never so small that its inverse overflows.
    const float scale = std::max(largest_size(c, dim) / kMaxLevel, 1e-36F);
    kernels().quantize_bytes(c, dim, 1 / scale, levels);
    records[l].centroid_scale = scale;
    decode(levels, nullptr, scale, dim, point.data());
    error2 += kernels().l2_sqr(c, point.data(), dim);
  }
  const bool is_fine = error2 > kMostError * mean_r2 * static_cast<double>(centroids.rows);
  if (is_fine) coded.fine.resize(centroids.size());
  for (std::size_t l = 0; l < centroids.rows; ++l) {
    const float scale = records[l].centroid_scale;
    const std::int8_t* levels = coded.levels.data() + l * dim;
    std::int8_t* fine = is_fine ? coded.fine.data() + l * dim : nullptr;
    for (std::size_t i = 0; is_fine && i < dim; ++i) {
      fine[i] = fine_of(centroids.row(l)[i], scale, levels[i]);
    }
    decode(levels, fine, scale, dim, point.data());
    records[l].centroid_norm2 = kernels().dot(point.data(), point.data(), dim);
  }
  return coded;
}

void decode_centroids(const CodedCentroids& coded, std::span<const ListRecord> records,
                      Matrix<float>& centroids) {
  const std::size_t dim = centroids.cols;
  for (std::size_t l = 0; l < centroids.rows; ++l) {
    const std::int8_t* fine = coded.fine.empty() ? nullptr : coded.fine.data() + l * dim;
    decode(coded.levels.data() + l * dim, fine, records[l].centroid_scale, dim, centroids.row(l));
  }
}

void decode_centroid(const Segment& segment, std::size_t list, float* out) {
  decode_part(segment, list, 0, segment.dim(), out);
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

CentroidDistance CentroidQuery::by_levels(const Segment& segment, std::size_t list) const {
  const ListRecord& record = segment.lists[list];
  const std::int32_t sum =
      kernels().dot_bytes(segment.centroid(list), bytes_.values.data(), segment.dim());
  const float product = static_cast<float>(sum) * (bytes_.step * record.centroid_scale);
  return {product, std::max(0.0F, norm2_ + record.centroid_norm2 - 2 * product)};
}

CentroidDistance CentroidQuery::exact(const Segment& segment, std::size_t list) const {
  if (segment.centroid_fine.empty()) return by_levels(segment, list);
  CentroidDistance sum = {0, 0};
  float part[kPart];
  for (std::size_t begin = 0; begin < segment.dim(); begin += kPart) {
    const std::size_t count = std::min(kPart, segment.dim() - begin);
    decode_part(segment, list, begin, count, part);
    sum.product += kernels().dot(query_ + begin, part, count);
    sum.distance2 += kernels().l2_sqr(query_ + begin, part, count);
  }
  return sum;
}

}  // namespace obliq

#include "measure/distortion_probe.h"

#include <algorithm>
#include <cmath>

#include "core/kernels/dispatch.h"

namespace obliq {
namespace {

double dot(const std::vector<float>& x, const std::vector<float>& y) {
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += double{x[i]} * y[i];
  return sum;
}

}  // namespace

void DistortionSums::add(const DistortionSums& other) {
  error2 += other.error2;
  for (const auto& [to, from] : {std::pair(&plain, &other.plain), {&weighted, &other.weighted}}) {
    to->xx += from->xx;
    to->xy += from->xy;
    to->yy += from->yy;
  }
  for (std::size_t i = 0; i < ip.size(); ++i) {
    ip[i] += other.ip[i];
    ip2[i] += other.ip2[i];
    errors[i].insert(errors[i].end(), other.errors[i].begin(), other.errors[i].end());
  }
}

DistortionProbe::DistortionProbe(const DistortionDraw& draw, const ProbeOptions& options)
    : draw_(draw),
      options_(options),
      x_(draw.quantizer->dim()),
      decoded_(x_.size()),
      scratch_(x_.size()),
      code_(draw.quantizer->layout().code_bytes),
      sums_(options.rhos.size()) {}

void DistortionProbe::sample(const float* row, Random& random) {
  std::copy_n(row, x_.size(), x_.begin());
  draw_.rotation->apply(x_.data());
  Factors factors{};
  draw_.quantizer->encode(x_.data(), code_.data(), factors);
  draw_.quantizer->decode(code_.data(), factors, decoded_.data());
  const double norm2 = dot(x_, x_);
  const double xy = dot(x_, decoded_) / norm2;
  double error2 = 0;
  for (std::size_t i = 0; i < x_.size(); ++i) {
    const double error = double{x_[i]} - decoded_[i];
    error2 += error * error;
  }
  sums_.error2 += error2 / norm2;
  sums_.plain.xx += 1;
  sums_.plain.xy += xy;
  sums_.plain.yy += dot(decoded_, decoded_) / norm2;
  for (std::size_t q = 0; q < kQueriesPerSample; ++q) {
    add_products(xy, sideways(random, norm2, xy));
  }
  if (draw_.loss.rows > 0) add_weighted(row, norm2);
}

// <u, x^> / |x| for a random unit vector u orthogonal to x; 0 where there is none.
double DistortionProbe::sideways(Random& random, double norm2, double xy) {
  std::vector<float>& direction = scratch_;
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < direction.size(); ++i) {
    if (i % 64 == 0) bits = random.next();
    direction[i] = (bits >> (i % 64) & 1U) != 0 ? 1.0F : -1.0F;
  }
  const double along = dot(direction, x_) / std::sqrt(norm2);
  const double left2 = static_cast<double>(direction.size()) - along * along;
  if (left2 <= 1e-6) return 0;
  return (dot(direction, decoded_) / std::sqrt(norm2) - along * xy) / std::sqrt(left2);
}

void DistortionProbe::add_products(double xy, double across) {
  for (std::size_t i = 0; i < options_.rhos.size(); ++i) {
    const double rho = options_.rhos[i];
    const double error = rho * (xy - 1) + std::sqrt(1 - rho * rho) * across;
    sums_.ip[i] += error;
    sums_.ip2[i] += error * error;
    if (options_.keeps_errors) sums_.errors[i].push_back(static_cast<float>(error));
  }
}

// Back in the space of the law.
void DistortionProbe::add_weighted(const float* row, double norm2) {
  const std::size_t dim = x_.size();
  draw_.rotation->apply_inverse(decoded_.data());
  const auto weigh = [&](const float* vector) {
    for (std::size_t i = 0; i < dim; ++i) {
      scratch_[i] = kernels().dot(draw_.loss.row(i), vector, dim);
    }
  };
  std::copy_n(row, dim, x_.begin());
  weigh(row);
  sums_.weighted.xx += dot(x_, scratch_) / norm2;
  sums_.weighted.xy += dot(decoded_, scratch_) / norm2;
  weigh(decoded_.data());
  sums_.weighted.yy += dot(decoded_, scratch_) / norm2;
}

}  // namespace obliq

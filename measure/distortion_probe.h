// One worker of measure_distortion: encodes and decodes samples and sums up their errors.
#pragma once

#include <vector>

#include "core/random.h"
#include "obliq/quantizer.h"
#include "obliq/rotation.h"

namespace obliq {

/// One draw of rotation and quantizer, shared by the workers that use it.
struct DistortionDraw {
  std::unique_ptr<const Rotation> rotation;
  QuantizerPtr quantizer;
  /// The loss of an error e, e^T loss e: E q q^T, less the mean query that the quantizer keeps
  /// apart. Empty when no law of queries is given.
  Matrix<float> loss;
};

/// Sums over samples of |x| = 1; one object for each chunk, added up in their order.
struct DistortionSums {
  /// <x,x>, <x,x^> and <x^,x^> in some inner product.
  struct Gram {
    double xx = 0;
    double xy = 0;
    double yy = 0;
    /// E<x - g x^, x - g x^> for the best constant g, times the number of samples.
    double shrunk_error() const { return yy > 0 ? xx - xy * xy / yy : xx; }
  };

  explicit DistortionSums(std::size_t rhos) : ip(rhos), ip2(rhos), errors(rhos) {}
  void add(const DistortionSums& other);

  double error2 = 0;  // |x - x^|^2
  Gram plain;
  Gram weighted;  // by DistortionDraw::loss
  std::vector<double> ip;
  std::vector<double> ip2;
  std::vector<std::vector<float>> errors;  // those in ip, where they are kept
};

inline constexpr std::size_t kQueriesPerSample = 4;

/// What a probe measures.
struct ProbeOptions {
  std::vector<double> rhos;   ///< each in [-1, 1]
  bool keeps_errors = false;  ///< of the products, each one
};

class DistortionProbe {
 public:
  /// Draw and options must outlive the probe.
  DistortionProbe(const DistortionDraw& draw, const ProbeOptions& options);

  /// Takes one vector, not zero, as it is before the rotation.
  void sample(const float* row, Random& random);

  DistortionSums take_sums() { return std::move(sums_); }

 private:
  double sideways(Random& random, double norm2, double xy);
  void add_products(double xy, double across);
  void add_weighted(const float* row, double norm2);

  const DistortionDraw& draw_;
  const ProbeOptions& options_;
  std::vector<float> x_;
  std::vector<float> decoded_;
  std::vector<float> scratch_;
  std::vector<std::uint8_t> code_;
  DistortionSums sums_;
};

}  // namespace obliq

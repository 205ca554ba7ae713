// What a quantizer loses, measured: the numbers behind `obliq distortion`.
//
// Each sample is a vector of the data, turned by a random rotation (a fresh one every 64 samples,
// so that averages are over the rotation too), encoded and decoded to x^ by one of eight draws of
// the quantizer (tqp draws a sketch). Queries are unit vectors with <q,x> = rho |x|: the rest of q
// is a random sign vector made orthogonal to x, whose covariance is that of a random direction.
// Errors are relative to |x|.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "obliq/matrix_view.h"
#include "obliq/quantizer.h"

namespace obliq {

struct DistortionOptions {
  std::size_t samples = 10000;
  std::vector<double> rhos = {0, 0.5, 0.9};  ///< each in [-1, 1]
  std::uint64_t seed = 1;
  int threads = 0;  ///< 0: all cores. The report does not depend on it.
};

struct DistortionReport {
  std::string spec;
  double bits = 0;              ///< code bits a dimension
  double bytes_per_vector = 0;  ///< code and factors, each factor as fp16
  std::size_t queries = 0;      ///< queries behind each entry of ip_bias and ip_var_d
  /// E|x - x^|^2 / |x|^2 of the decoded vector as it is: D_b for tq, D/(1-D) for what is unbiased.
  double mse = 0;
  /// The same with x^ times one constant, the best for all samples: what to compare between
  /// quantizers, and with Shannon's 4^-bits.
  double shrunk_mse = 0;
  double gap_bits = 0;           ///< log2(shrunk_mse * 4^bits) / 2
  std::vector<double> ip_bias;   ///< E<x^,q>/|x| - rho at each rho
  std::vector<double> ip_var_d;  ///< dim * Var<x^,q>/|x|^2 at each rho
};

/// `samples` vectors of dimension dim, [samples][dim]. data: "sphere", "gaussian", "sparse" (one
/// coordinate in 16, Gaussian) or "powerlaw:A" (Gaussian, variance i^-A). Each row depends on the
/// seed and its number alone. Throws std::invalid_argument on other names.
Matrix<float> distortion_data(std::string_view data, std::size_t dim, std::size_t samples,
                              std::uint64_t seed);

/// Measures a spec on the rows of `vectors`, used in turn until there are enough samples; zero
/// vectors are left out. Throws std::invalid_argument on a bad spec, no usable vector, no samples
/// or a rho beyond 1 in size.
DistortionReport measure_distortion(std::string_view spec, MatrixView<float> vectors,
                                    const DistortionOptions& options = {});

/// Encodes every row and drops the codes: the work to time for an encode rate. Returns the sum of
/// the first factors, so that no compiler drops the work.
double encode_all(const Quantizer& quantizer, MatrixView<float> vectors);

}  // namespace obliq

// Measures the distortion of quantizers: the numbers behind `obliq distortion`.
//
// Each sample is a vector of the data, turned by one of 16 random rotations (samples change it 64
// by 64, so that averages are over the rotation too), encoded and decoded to x^ by the quantizer of
// that rotation's seed. Queries are unit vectors with <q,x> = rho |x|: the rest of q is a random
// sign vector made orthogonal to x, whose covariance is that of a random direction. Errors are
// relative to |x|.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "obliq/matrix_view.h"
#include "obliq/quantizer.h"

namespace obliq {

/// The second moments of queries, to weight errors with: E q q^T [dim][dim], and E q.
struct QueryLaw {
  Matrix<double> moment;
  std::vector<double> mean;
};

/// The law that the rows of `queries` show.
QueryLaw query_law(MatrixView<float> queries, int threads = 0);

struct DistortionOptions {
  std::size_t samples = 10000;
  std::vector<double> rhos = {0, 0.5, 0.9};  ///< each in [-1, 1]
  std::uint64_t seed = 1;
  int threads = 0;  ///< 0: as many as the process may use. The report does not depend on it.
  /// What data-aware quantizers learn from, before the rotation: vectors other than those measured
  /// (none: they stay untrained) and queries other than those of `law`. Training is done for four
  /// of the rotations only.
  TrainingData training = {};
  const QueryLaw* law = nullptr;  ///< the weights of query_mse; null: it is not measured
  std::size_t histogram_bins = 0;
};

/// counts[i] errors between low + i w and low + (i+1) w, w = (high - low)/counts.size(); the outer
/// ones have those beyond too.
struct Histogram {
  double low = 0;
  double high = 0;
  std::vector<std::size_t> counts;
};

struct DistortionReport {
  std::string spec;
  double bits = 0;              ///< code bits per dimension
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
  /// E<x - x^, q>^2 / |x|^2 over the law's queries, relative to what random directions of their
  /// length give for x^ = 0 (dim / E|q|^2), with x^ times one constant as above; shrunk_mse when
  /// queries have no preferred direction. Less <x - x^, m> where the quantizer keeps that apart
  /// (Quantizer::mean_query). 0 without a law.
  double query_mse = 0;
  std::vector<Histogram> ip_histograms;  ///< of the errors at each rho, when bins were asked for
};

/// `samples` vectors of dimension dim, [samples][dim]. data: "sphere", "gaussian", "sparse" (one
/// coordinate in 16, Gaussian), "onehot" (one coordinate of +-1) or "powerlaw:A" (Gaussian,
/// variance i^-A). Each row depends on the seed and its number alone. Throws std::invalid_argument
/// on other names.
Matrix<float> distortion_data(std::string_view data, std::size_t dim, std::size_t samples,
                              std::uint64_t seed);

/// Whether `data` names one of the random data sets of distortion_data.
bool is_distortion_data(std::string_view data);

/// The law of distortion_data("powerlaw:A"), exact: moment diag(i^-A), mean 0. Throws as it does.
QueryLaw power_law_queries(std::string_view data, std::size_t dim);

/// Measures a spec on the rows of `vectors`, used in turn until there are enough samples; zero
/// vectors are skipped. Throws std::invalid_argument on a bad spec, no usable vector, no samples,
/// a rho beyond 1 in size, or training vectors or a law of another dim.
DistortionReport measure_distortion(std::string_view spec, MatrixView<float> vectors,
                                    const DistortionOptions& options = {});

/// The quantizer trained on data that is not rotated yet, for vectors that go through
/// make_rotation(dim, seed); null where there is nothing to learn, or no training vector.
QuantizerPtr train_quantizer(const Quantizer& quantizer, std::uint64_t seed,
                             const TrainingData& training);

/// Encodes every row and drops the codes: the work to time for an encode rate. Returns the sum of
/// the first factors, so that no compiler drops the work.
double encode_all(const Quantizer& quantizer, MatrixView<float> vectors);

}  // namespace obliq

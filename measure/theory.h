// Theoretical limits to compare measured quantizers with. Rates R are bits per dimension,
// distortions D are mean squared errors per dimension of a source of variance 1.
//
// Two families of limits. For a source without structure: Shannon's 4^-R, Panter and Dite's limit
// of scalar codes, the limit Gamma(R) of matrix products (arXiv 2410.13780, Theorem 1), and the
// floor of any code of finite dimension. For a quadratic loss (x - x^)^T M (x - x^) per dimension,
// where M has eigenvalues `spectrum`: reverse water-filling, the limit of a code built for M, and
// the random-coding curve of one codebook for every M at once (arXiv 2602.05790, Theorem 3).
#pragma once

#include <cstddef>
#include <span>

namespace obliq {

/// Shannon's D(R) = 4^-R of the Gaussian source.
double shannon_distortion(double bits);

/// sqrt(3) pi/2 4^-R, which Lloyd-Max scalar codes approach from below.
double panter_dite_distortion(double bits);

/// log2(D 4^R) / 2: the rate that a code of distortion D > 0 at R bits loses to Shannon's.
double gap_bits(double distortion, double bits);

/// 1/(4^R - 1), the least dim * Var of an unbiased description of a unit vector against a random
/// direction: the Gaussian test channel x + noise. bits > 0.
double unbiased_variance(double bits);

/// R*, the root of R = log2(1 + 4 R ln 2)/2: below it, Gamma shares time with sending nothing.
double product_knee();

/// Gamma(R): the least E|A^T B - C|^2 per entry, relative to n, when the Gaussian matrices A and B
/// of n rows are coded apart at R bits per entry. bits >= 0.
double product_distortion(double bits);

/// D_cap: no code of 2^(bits dim) words for unit vectors of `dim` dimensions errs less on average,
/// for no cell is better than a spherical cap of its measure. It can lie below 4^-bits. Requires
/// dim >= 2 and bits * dim >= 2.
double cap_distortion(std::size_t dim, double bits);

/// D_wf(R) = mean of min(lambda, t), with t such that R = mean of max(0, log2(lambda/t))/2.
/// Here and below: spectrum not empty, finite, none negative, at least one positive; bits >= 0.
double water_filling_distortion(std::span<const double> spectrum, double bits);

/// The rate R at which D_wf(R) = distortion; 0 < distortion <= mean of the spectrum.
double water_filling_bits(std::span<const double> spectrum, double distortion);

/// D_rc(R) = mean of lambda/(1 + lambda T), with T such that R = mean of log2(1 + lambda T)/2.
double random_coding_distortion(std::span<const double> spectrum, double bits);

/// The rate R at which D_rc(R) = distortion; 0 < distortion <= mean of the spectrum.
double random_coding_bits(std::span<const double> spectrum, double distortion);

/// The price of universality, random_coding_bits - water_filling_bits: at least 0, and below .11.
double universality_price(std::span<const double> spectrum, double distortion);

/// The price for a spectrum of one finite and one infinite eigenvalue at vanishing distortion, the
/// worst kind; a = lambda T of the finite one, within (0, (sqrt(5) - 1)/2). Theorem 5.
double two_point_price(double a);

/// The largest two_point_price, about .10833 bit at a = .3474.
double worst_price();

}  // namespace obliq

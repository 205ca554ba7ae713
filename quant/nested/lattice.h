// The lattices of the nested codes, in integers: 2*E8, D4 and Z^8. For each
//
//     reduce(y, m)   y minus the point of m*Lambda nearest to y: the only decision there is. With
//                    integers it is the decoder's reduction modulo q*Lambda; with floats and m = 1
//                    the encoder's nearest point is y - reduce(y, 1).
//     coset(c, q)    a point of Lambda for every label c in [0,q)^n, one in each coset of q*Lambda
//     label(t, q)    the label of the coset that holds the point t
//
// A nested (Voronoi) code sends label(t) of the nearest point t and decodes the codeword
// reduce(coset(label), q) (Conway and Sloane 1983; arXiv 2410.13780, 2502.09720). A point on the
// boundary of the cell of q*Lambda is congruent to others there; the one that is the codeword is
// what the decoder finds, by a fixed rule, from the one point that coset() gives. So the encoder
// asks the decoder whether t is a codeword, and never tests the boundary itself.
//
// 2*E8 = 2*D8 and 2*D8 + (1,...,1): coordinates of one parity, their sum a multiple of 4. Let
// g = y modulo 2m in [-m, m), a = |g|, and r the whole periods taken off. The odd points (m added
// to 2m*D8) leave g, the even ones g -+ m, which is m - a in size. Where the periods of a coset add
// to an odd number, its point has one coordinate moved by 2m: the one of the largest a (the odd
// coset) or of the smallest a (the even one). The squared distances then differ by 2m times
//
//     even - odd = 4m - sum a + 2 [even flips] min a - 2 [odd flips] (m - max a)
//
// so that no square is ever taken. Coordinates with equal a are ordered by index: the first counts
// as the largest, the last as the smallest. The even coset wins ties.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace obliq {

/// floor(y / m) for m > 0, |y / m| < 2^31, without a call of libm.
template <class Real>
Real floor_div(Real y, Real m) {
  const Real quotient = y / m;
  const auto whole = static_cast<Real>(static_cast<std::int32_t>(quotient));
  return whole - static_cast<Real>(quotient < whole);
}

/// The same, exact: (y + 1/2) / m is never so near to an integer that rounding could cross it.
inline std::int32_t floor_div(std::int32_t y, std::int32_t m) {
  const double quotient = (y + 0.5) * (1.0 / m);
  const auto whole = static_cast<std::int32_t>(quotient);
  return whole - static_cast<std::int32_t>(quotient < whole);
}

struct E8 {
  static constexpr std::size_t kDim = 8;
  static constexpr int kUnits = 2;  ///< integers to a unit of the lattice: points are 2*E8

  template <class T>
  static void reduce(const T* y, T m, T* f) {
    T sum = 0;
    T least = 2 * m;
    T most = -1;
    std::size_t smallest = 0;
    std::size_t largest = 0;
    std::int32_t all_periods = 0;
    std::int32_t signs = 0;
    for (std::size_t i = 0; i < kDim; ++i) {  // no branches: they would depend on chance
      const auto periods = static_cast<std::int32_t>(floor_div(y[i], 2 * m));
      f[i] = y[i] - 2 * m * static_cast<T>(periods) - m;
      const T size = std::abs(f[i]);
      sum += size;
      all_periods += periods;
      signs += f[i] >= 0 ? 1 : 0;
      smallest = size <= least ? i : smallest;
      least = size <= least ? size : least;
      largest = size > most ? i : largest;
      most = size > most ? size : most;
    }
    const bool odd_flips = all_periods % 2 != 0;
    const bool even_flips = (all_periods + signs) % 2 != 0;
    const T even_minus_odd =
        4 * m - sum + (even_flips ? 2 * least : 0) - (odd_flips ? 2 * (m - most) : 0);
    if (even_minus_odd > 0) {
      if (odd_flips) f[largest] += f[largest] < 0 ? 2 * m : -2 * m;
      return;
    }
    const T flip = even_flips ? (f[smallest] < 0 ? -2 * m : 2 * m) : 0;
    for (std::size_t i = 0; i < kDim; ++i) f[i] += f[i] < 0 ? m : -m;
    f[smallest] += flip;
  }

  static void coset(const std::uint8_t* label, std::int32_t q, std::int32_t* y);
  static void label(const std::int32_t* t, std::int32_t q, std::uint8_t* label);
};

/// Integer vectors of even sum.
struct D4 {
  static constexpr std::size_t kDim = 4;
  static constexpr int kUnits = 1;

  template <class T>
  static void reduce(const T* y, T m, T* f) {
    bool flips = false;
    std::size_t largest = 0;
    for (std::size_t i = 0; i < kDim; ++i) {
      const auto periods = static_cast<std::int32_t>(floor_div(2 * y[i] + m, 2 * m));
      f[i] = y[i] - m * static_cast<T>(periods);
      flips ^= periods % 2 != 0;
      if (std::abs(f[i]) > std::abs(f[largest])) largest = i;
    }
    if (flips) f[largest] += f[largest] < 0 ? m : -m;
  }

  static void coset(const std::uint8_t* label, std::int32_t q, std::int32_t* y);
  static void label(const std::int32_t* t, std::int32_t q, std::uint8_t* label);
};

/// Eight coordinates that share nothing: the cube, for comparison.
struct Z8 {
  static constexpr std::size_t kDim = 8;
  static constexpr int kUnits = 1;

  template <class T>
  static void reduce(const T* y, T m, T* f) {
    for (std::size_t i = 0; i < kDim; ++i) {
      f[i] = y[i] - m * floor_div(2 * y[i] + m, 2 * m);
    }
  }

  static void coset(const std::uint8_t* label, std::int32_t q, std::int32_t* y);
  static void label(const std::int32_t* t, std::int32_t q, std::uint8_t* label);
};

}  // namespace obliq

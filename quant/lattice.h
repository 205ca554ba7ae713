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
#include <type_traits>

namespace obliq {

/// floor(y / m), exact for integers. m > 0.
template <class T>
T floor_div(T y, T m) {
  if constexpr (std::is_floating_point_v<T>) {
    return std::floor(y / m);
  } else {
    return (y >= 0 ? y : y - m + 1) / m;
  }
}

struct E8 {
  static constexpr std::size_t kDim = 8;
  static constexpr int kUnits = 2;  ///< integers to a unit of the lattice: points are 2*E8

  template <class T>
  static void reduce(const T* y, T m, T* f) {
    T size[kDim];
    T sum = 0;
    bool even_flips = false;
    bool odd_flips = false;
    std::size_t smallest = 0;
    std::size_t largest = 0;
    for (std::size_t i = 0; i < kDim; ++i) {
      const T periods = floor_div<T>(y[i], 2 * m);
      f[i] = y[i] - 2 * m * periods - m;
      size[i] = f[i] < 0 ? -f[i] : f[i];
      sum += size[i];
      const bool period_odd = periods - 2 * floor_div<T>(periods, 2) != 0;
      odd_flips ^= period_odd;
      even_flips ^= period_odd != (f[i] >= 0);
      if (size[i] <= size[smallest]) smallest = i;
      if (size[i] > size[largest]) largest = i;
    }
    const T even_minus_odd = 4 * m - sum + (even_flips ? 2 * size[smallest] : 0) -
                             (odd_flips ? 2 * (m - size[largest]) : 0);
    if (even_minus_odd > 0) {
      if (odd_flips) f[largest] += f[largest] < 0 ? 2 * m : -2 * m;
      return;
    }
    for (std::size_t i = 0; i < kDim; ++i) {
      const bool up = (f[i] < 0) != (even_flips && i == smallest);
      f[i] += up ? m : -m;
    }
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
    const auto size = [f](std::size_t i) { return f[i] < 0 ? -f[i] : f[i]; };
    for (std::size_t i = 0; i < kDim; ++i) {
      const T periods = floor_div<T>(2 * y[i] + m, 2 * m);
      f[i] = y[i] - m * periods;
      flips ^= periods - 2 * floor_div<T>(periods, 2) != 0;
      if (size(i) > size(largest)) largest = i;
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
      f[i] = y[i] - m * floor_div<T>(2 * y[i] + m, 2 * m);
    }
  }

  static void coset(const std::uint8_t* label, std::int32_t q, std::int32_t* y);
  static void label(const std::int32_t* t, std::int32_t q, std::uint8_t* label);
};

}  // namespace obliq

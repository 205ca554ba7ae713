// Orthogonal bases Q for overcomplete codes x ~ u + Q v (Kashin, arXiv 2404.09737, section 3): a
// vector that is spiky in the standard basis is flat in Q, and the other way round. Each is a
// Rotation: apply is Q, apply_inverse is Q^T, any dim, the same bits on every platform.
//
//     basis       Q                                                make         apply
//     fast        make_rotation: random angles, signs, Hadamard    O(n)         O(n log n)
//     butterfly   two rounds of ceil(log2 n) stages h = 1, 2, 4,   O(n log n)   O(n log n)
//                 ...: pairs (i, i+h) turned by random angles
//     haar        a random rotation by Haar's measure              O(n^2)       O(n^2)
//     dct         the inverse DCT-II, then random signs            O(n + m^2)   O(n log n + n m)
//     signdct     C^T eps C, C the DCT-II and eps random signs:    as dct       twice dct
//                 its own inverse (the 2026 follow-up)
//
// where m is the odd part of n: the DCT halves even lengths and is dense at odd ones. One round of
// the butterfly would leave large entries in Q and give a code 10 % more distortion; with two, all
// of these serve a code alike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "obliq/rotation.h"

namespace obliq {

using BasisPtr = std::unique_ptr<const Rotation>;

enum class BasisKind { kFast, kButterfly, kHaar, kDct, kSignDct };

/// The basis of that kind drawn from the seed; another seed gives another basis. Throws
/// std::invalid_argument when dim is 0.
BasisPtr make_basis(BasisKind kind, std::size_t dim, std::uint64_t seed);

/// The orthonormal DCT-II itself, as C = apply; make_basis(kDct) is its inverse with random signs,
/// E C^T.
BasisPtr make_dct(std::size_t dim);

}  // namespace obliq

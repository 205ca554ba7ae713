// The Viterbi pass in vectors of any width, without intrinsics: each ISA instantiates it with the
// width of its own registers. Internal linkage, as everything in a kernel file, so that no two ISAs
// share a copy.
//
// The costs of the predecessors of a group lie 256 >> bits apart, so that neighbouring groups are
// neighbouring lanes; the new costs repeat the best of a group 1 << bits times, a fixed shuffle.
#pragma once

#include "core/kernels/kernels.h"

namespace obliq {
namespace {

template <int... lanes>
struct LaneList {};
template <int count, int... lanes>
struct FirstLanes : FirstLanes<count - 1, count - 1, lanes...> {};
template <int... lanes>
struct FirstLanes<0, lanes...> {
  using List = LaneList<lanes...>;
};

// Of `width` lanes.
template <unsigned width>
struct Vectors {
  typedef float Floats __attribute__((vector_size(4 * width)));
  typedef std::int32_t Ints __attribute__((vector_size(4 * width)));
  typedef std::uint8_t Bytes __attribute__((vector_size(width)));
};

template <unsigned width, unsigned bits>
class VectorViterbi {
 public:
  static void run(const float* x, std::size_t dim, const float* levels, float* costs,
                  std::uint8_t* choices) noexcept {
    for (std::size_t i = dim; i-- > 0;) {
      Floats best[kGroups / width];
#pragma GCC unroll 32
      for (unsigned group = 0; group < kGroups; group += width) {
        Ints choice;
        best_of<0, 1U << bits>(costs + group, best[group / width], choice);
        const Bytes bytes = __builtin_convertvector(choice, Bytes);
        __builtin_memcpy(choices + i * kGroups + group, &bytes, sizeof bytes);
      }
      const Floats value = Floats{} + x[i];
      extend(value, best, levels, costs, typename FirstLanes<kStates / width>::List());
    }
  }

 private:
  using Floats = typename Vectors<width>::Floats;
  using Ints = typename Vectors<width>::Ints;
  using Bytes = typename Vectors<width>::Bytes;

  static constexpr unsigned kStates = 256;
  static constexpr unsigned kGroups = kStates >> bits;
  static_assert(kGroups % width == 0);

  static Floats load(const float* from) noexcept {
    Floats vector;
    __builtin_memcpy(&vector, from, sizeof vector);
    return vector;
  }

  // The least of costs[j * kGroups + lane] for first <= j < first + count, and its first j.
  template <unsigned first, unsigned count>
  static void best_of(const float* costs, Floats& best, Ints& choice) noexcept {
    if constexpr (count == 1) {
      best = load(costs + std::size_t{first} * kGroups);
      choice = Ints{} + static_cast<int>(first);
    } else {
      Floats other;
      Ints other_choice;
      best_of<first, count / 2>(costs, best, choice);
      best_of<first + count / 2, count / 2>(costs, other, other_choice);
      const Ints less = other < best;
      best = less ? other : best;
      choice = less ? other_choice : choice;
    }
  }

  template <int... vectors>
  static void extend(Floats value, const Floats* best, const float* levels, float* costs,
                     LaneList<vectors...> /*all*/) noexcept {
    (extend_one<vectors* static_cast<int>(width)>(value, best, levels, costs,
                                                  typename FirstLanes<width>::List()),
     ...);
  }

  // The new costs of the states from `first`.
  template <int first, int... lanes>
  static void extend_one(Floats value, const Floats* best, const float* levels, float* costs,
                         LaneList<lanes...> /*all*/) noexcept {
    const Floats source = best[(first >> bits) / static_cast<int>(width)];
    const Floats before = __builtin_shufflevector(
        source, source, (((first + lanes) >> bits) % static_cast<int>(width))...);
    const Floats error = value - load(levels + first);
    const Floats cost = before + error * error;
    __builtin_memcpy(costs + first, &cost, sizeof cost);
  }
};

/// The kernel `viterbi` of kernels.h.
template <unsigned width>
void vector_viterbi(const float* x, std::size_t dim, const float* levels, std::size_t bits,
                    float* costs, std::uint8_t* choices) noexcept {
  switch (bits) {
    case 1:
      return VectorViterbi<width, 1>::run(x, dim, levels, costs, choices);
    case 2:
      return VectorViterbi<width, 2>::run(x, dim, levels, costs, choices);
    case 3:
      return VectorViterbi<width, 3>::run(x, dim, levels, costs, choices);
    default:
      return VectorViterbi<width, 4>::run(x, dim, levels, costs, choices);
  }
}

}  // namespace
}  // namespace obliq

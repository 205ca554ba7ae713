// Inputs and outputs of kernel cases: seeded values, read-only guarded inputs, outputs as words.
#pragma once

#include <cmath>
#include <memory>
#include <span>
#include <vector>

#include "tests/core/kernels/cases.h"

namespace obliq {

template <class T>
using Input = std::unique_ptr<const GuardedBuffer<T>>;

template <class T>
Input<T> buffer(const std::vector<T>& values, const CaseSetup& setup) {
  auto made = std::make_unique<GuardedBuffer<T>>(values.size(), setup.placement);
  std::ranges::copy(values, made->data());
  made->freeze();
  return made;
}

/// The same setup with another seed.
inline CaseSetup next(CaseSetup setup) {
  setup.seed = setup.seed * 31 + 1000003;
  return setup;
}

/// Gaussians; or zeros of both signs, subnormals, ones and sizes up to 1e17, whose squares summed
/// over 4,100 dims stay finite.
inline std::vector<float> floats(const CaseSetup& setup, std::size_t count) {
  constexpr float kExtremes[] = {0.0F, -0.0F, 1e-42F, -1e-38F, 1.0F, -1.0F, 1e17F, -3e16F};
  Random random(setup.seed);
  std::vector<float> values(count);
  for (float& value : values) {
    value = setup.values == Values::random ? static_cast<float>(random.gaussian())
                                           : kExtremes[random.below(std::size(kExtremes))];
  }
  return values;
}

/// Integers of [low, high], or only the two ends.
template <class T>
std::vector<T> integers(const CaseSetup& setup, std::size_t count, int low, int high) {
  Random random(setup.seed);
  std::vector<T> values(count);
  for (T& value : values) {
    const auto offset = setup.values == Values::random
                            ? static_cast<int>(random.below(static_cast<unsigned>(high - low) + 1))
                            : static_cast<int>(random.below(2)) * (high - low);
    value = static_cast<T>(low + offset);
  }
  return values;
}

template <class T>
Words words_of(std::span<const T> values) {
  Words words;
  for (const T value : values) {
    if constexpr (sizeof(T) == 4) {
      words.push_back(std::bit_cast<std::uint32_t>(value));
    } else {
      words.push_back(static_cast<std::uint32_t>(value));
    }
  }
  return words;
}
template <class T>
Words words_of(std::span<T> values) {
  return words_of(std::span<const T>(values));
}

template <class Call>
std::unique_ptr<KernelCall> make_call(const CaseSetup& setup) {
  return std::make_unique<Call>(setup);
}

/// The kernels on codes: scan, gather_signs, dot_planes, dot_bytes.
void add_code_cases(std::vector<KernelCase>& cases);

}  // namespace obliq

// One template for each direction, one switch that gives it the type.
#include "datasets/element.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "core/half.h"

namespace obliq::datasets {
namespace {

static_assert(std::endian::native == std::endian::little);

// A half: 16 bits that are no number to C++.
struct Half {
  std::uint16_t bits;
};

// Calls visit(T{}) with the type that stands for `element` in memory.
template <typename Visit>
auto with_type(Element element, Visit visit) {
  switch (element) {
    case Element::f32:
      return visit(float{});
    case Element::f16:
      return visit(Half{});
    case Element::f64:
      return visit(double{});
    case Element::u8:
      return visit(std::uint8_t{});
    case Element::i8:
      return visit(std::int8_t{});
    case Element::u16:
      return visit(std::uint16_t{});
    case Element::i16:
      return visit(std::int16_t{});
    case Element::u32:
      return visit(std::uint32_t{});
    case Element::i32:
      return visit(std::int32_t{});
    case Element::u64:
      return visit(std::uint64_t{});
    case Element::i64:
      return visit(std::int64_t{});
  }
  throw std::invalid_argument("not an element type: " + std::to_string(static_cast<int>(element)));
}

template <typename T>
bool store(float value, T& stored) {
  if constexpr (std::is_same_v<T, Half>) {
    stored.bits = float_to_half(value);
    return std::isinf(value) || !std::isinf(half_to_float(stored.bits));
  } else if constexpr (std::is_floating_point_v<T>) {
    stored = value;
    return true;
  } else {
    // The upper limit + 1 is a power of two, hence a float; NaN fails the comparison.
    constexpr auto kLow = static_cast<double>(std::numeric_limits<T>::min());
    constexpr double kHigh = 2.0 * (static_cast<double>(std::numeric_limits<T>::max() / 2) + 1);
    if (!(value >= kLow && value < kHigh && value == std::trunc(value))) return false;
    stored = static_cast<T>(value);
    return true;
  }
}

template <typename T>
float widen(T stored) {
  if constexpr (std::is_same_v<T, Half>) {
    return half_to_float(stored.bits);
  } else {
    return static_cast<float>(stored);
  }
}

template <typename T>
T load(const std::uint8_t* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <typename T>
bool is_held(T value, float by) {
  if constexpr (std::is_integral_v<T>) {
    return static_cast<long double>(value) == static_cast<long double>(by);
  } else if constexpr (std::is_same_v<T, double>) {
    if (by == 0) return value == 0;
    return !std::isinf(by) || std::isinf(value);
  } else {
    return true;
  }
}

std::string value_text(Element element, const std::uint8_t* from) {
  return with_type(element, [&](auto type) -> std::string {
    using T = decltype(type);
    if constexpr (std::is_same_v<T, Half>) {
      return fmt::format("{}", half_to_float(load<T>(from).bits));
    } else {
      return fmt::format("{}", load<T>(from));
    }
  });
}

}  // namespace

std::size_t element_bytes(Element element) {
  return with_type(element, [](auto zero) { return sizeof zero; });
}

bool is_integer(Element element) {
  return with_type(element, [](auto zero) { return std::is_integral_v<decltype(zero)>; });
}

std::string_view element_name(Element element) {
  switch (element) {
    case Element::f32:
      return "float32";
    case Element::f16:
      return "float16";
    case Element::f64:
      return "float64";
    case Element::u8:
      return "uint8";
    case Element::i8:
      return "int8";
    case Element::u16:
      return "uint16";
    case Element::i16:
      return "int16";
    case Element::u32:
      return "uint32";
    case Element::i32:
      return "int32";
    case Element::u64:
      return "uint64";
    case Element::i64:
      return "int64";
  }
  return "unknown";
}

void to_floats(Element element, const std::uint8_t* from, std::span<float> out) {
  with_type(element, [&](auto stored) {
    for (float& value : out) {
      std::memcpy(&stored, from, sizeof stored);
      value = widen(stored);
      from += sizeof stored;
    }
  });
}

void to_doubles(Element element, const std::uint8_t* from, std::span<double> out) {
  with_type(element, [&](auto stored) {
    for (double& value : out) {
      std::memcpy(&stored, from, sizeof stored);
      if constexpr (std::is_same_v<decltype(stored), Half>) {
        value = widen(stored);
      } else {
        value = static_cast<double>(stored);
      }
      from += sizeof stored;
    }
  });
}

std::size_t held_by_floats(Element element, const std::uint8_t* from,
                           std::span<const float> floats) {
  return with_type(element, [&](auto type) {
    using T = decltype(type);
    std::size_t held = 0;
    while (held < floats.size() && is_held(load<T>(from + held * sizeof(T)), floats[held])) ++held;
    return held;
  });
}

std::string unheld_text(std::size_t row, Element element, const std::uint8_t* from) {
  return fmt::format(
      "row {} holds {}, which float32 cannot hold; scale the vectors, or give a file "
      "of vectors if these are ids",
      row, value_text(element, from));
}

void to_integers(Element element, const std::uint8_t* from, std::span<std::int64_t> out) {
  with_type(element, [&](auto stored) {
    if constexpr (std::is_integral_v<decltype(stored)>) {
      for (std::int64_t& value : out) {
        std::memcpy(&stored, from, sizeof stored);
        value = static_cast<std::int64_t>(stored);
        from += sizeof stored;
      }
    }
  });
}

std::size_t first_negative(std::span<const std::int64_t> integers) {
  const auto is_negative = [](std::int64_t value) { return value < 0; };
  const auto at = std::find_if(integers.begin(), integers.end(), is_negative);
  return static_cast<std::size_t>(at - integers.begin());
}

std::size_t from_floats(Element element, std::span<const float> values, std::uint8_t* out) {
  return with_type(element, [&](auto stored) {
    std::size_t done = 0;
    for (; done < values.size() && store(values[done], stored); ++done) {
      std::memcpy(out + done * sizeof stored, &stored, sizeof stored);
    }
    return done;
  });
}

std::size_t from_integers(Element element, std::span<const std::int64_t> values,
                          std::uint8_t* out) {
  return with_type(element, [&](auto stored) {
    std::size_t done = 0;
    if constexpr (std::is_integral_v<decltype(stored)>) {
      for (; done < values.size() && std::in_range<decltype(stored)>(values[done]); ++done) {
        stored = static_cast<decltype(stored)>(values[done]);
        std::memcpy(out + done * sizeof stored, &stored, sizeof stored);
      }
    }
    return done;
  });
}

}  // namespace obliq::datasets

// The types of values that files store, and their way to and from floats. Everything little-endian.
#pragma once

#include <cstddef>
#include <cstdint>

namespace obliq::datasets {

enum class Element : std::uint8_t { f32, f16, f64, u8, i8, i32, u32, i64 };

/// Bytes of one value.
constexpr std::size_t element_bytes(Element element) {
  switch (element) {
    case Element::u8:
    case Element::i8:
      return 1;
    case Element::f16:
      return 2;
    case Element::f32:
    case Element::i32:
    case Element::u32:
      return 4;
    case Element::f64:
    case Element::i64:
      return 8;
  }
  return 0;
}

constexpr bool is_integer(Element element) {
  return element != Element::f16 && element != Element::f32 && element != Element::f64;
}

}  // namespace obliq::datasets

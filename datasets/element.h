// The types of values that files store, and their way to and from floats and ids. Files are
// little-endian, and so are the machines that this runs on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace obliq::datasets {

enum class Element : std::uint8_t { f32, f16, f64, u8, i8, u16, i16, u32, i32, u64, i64 };

/// Bytes of one value.
std::size_t element_bytes(Element element);

bool is_integer(Element element);

/// "float32", "uint8" and so on, for errors.
std::string_view element_name(Element element);

/// Converts stored values, any alignment, to floats: exactly, but for rounding of the wide types.
/// Reads out.size() * element_bytes bytes.
void to_floats(Element element, const std::uint8_t* from, std::span<float> out);

/// The same to doubles, which hold all but wide integers exactly.
void to_doubles(Element element, const std::uint8_t* from, std::span<double> out);

/// The number of stored values from the start that `floats` stand for, as to_floats made them:
/// integers exactly, float64 unless it became infinity or 0.
std::size_t held_by_floats(Element element, const std::uint8_t* from,
                           std::span<const float> floats);

/// "row 3 holds 16777217, which ...": of a stored value that float32 cannot hold, for errors.
std::string unheld_text(std::size_t row, Element element, const std::uint8_t* from);

/// Converts stored integers; uint64 above the range of ids become negative. Requires
/// is_integer(element).
void to_integers(Element element, const std::uint8_t* from, std::span<std::int64_t> out);

/// The first of uint64 that to_integers made negative; their number where there is none.
std::size_t first_negative(std::span<const std::int64_t> integers);

/// Stores floats: halves are rounded to nearest, integers must be whole. Returns how many values
/// from the start fit; less than all when one is out of range or not whole. Writes values.size() *
/// element_bytes bytes at the most.
std::size_t from_floats(Element element, std::span<const float> values, std::uint8_t* out);

/// Stores integers, as from_floats. Requires is_integer(element).
std::size_t from_integers(Element element, std::span<const std::int64_t> values, std::uint8_t* out);

}  // namespace obliq::datasets

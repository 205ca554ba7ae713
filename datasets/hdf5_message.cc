// Only what sets of vectors need is known: anything else is refused by name.
#include "datasets/hdf5_message.h"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace obliq::datasets {
namespace {

// Classes of datatypes.
constexpr unsigned kInteger = 0;
constexpr unsigned kFloat = 1;
constexpr unsigned kText = 3;
constexpr unsigned kVariable = 9;

// Fields of an IEEE type: exponent at, bits; mantissa bits; bias.
struct FloatFields {
  std::size_t width;
  std::array<std::uint32_t, 4> fields;
  Element element;
};
constexpr std::array<FloatFields, 3> kFloats{{{2, {10, 5, 10, 15}, Element::f16},
                                              {4, {23, 8, 23, 127}, Element::f32},
                                              {8, {52, 11, 52, 1023}, Element::f64}}};

StoredType parse_integer(Cursor& message, std::uint32_t bits, std::size_t width) {
  constexpr std::array<std::array<Element, 2>, 4> kIntegers{{{Element::u8, Element::i8},
                                                             {Element::u16, Element::i16},
                                                             {Element::u32, Element::i32},
                                                             {Element::u64, Element::i64}}};
  const std::uint16_t offset = message.u16();
  const std::uint16_t precision = message.u16();
  if (offset != 0 || precision != 8 * width) message.fail("integers of an odd precision");
  for (std::size_t i = 0; i < kIntegers.size(); ++i) {
    if (width == std::size_t{1} << i) {
      return {StoredType::Kind::number, kIntegers[i][bits >> 3 & 1U], (bits & 1U) != 0, false,
              width};
    }
  }
  message.fail("integers of an odd size");
}

StoredType parse_float(Cursor& message, std::uint32_t bits, std::size_t width) {
  const std::uint16_t offset = message.u16();
  const std::uint16_t precision = message.u16();
  std::array<std::uint32_t, 4> fields{message.u8(), message.u8(), 0, 0};
  const unsigned mantissa_at = message.u8();
  fields[2] = message.u8();
  fields[3] = message.u32();
  const std::uint32_t sign = bits >> 8 & 0xFFU;
  const bool implied = (bits >> 4 & 3U) == 2;
  const bool vax = (bits & 0x40U) != 0;
  for (const auto& known : kFloats) {
    if (width == known.width && fields == known.fields && mantissa_at == 0 && offset == 0 &&
        precision == 8 * width && sign == 8 * width - 1 && implied && !vax) {
      return {StoredType::Kind::number, known.element, (bits & 1U) != 0, false, width};
    }
  }
  message.fail("floats that are not of IEEE 754");
}

std::uint64_t padded(std::uint64_t bytes, bool pad) { return pad ? (bytes + 7) / 8 * 8 : bytes; }

// The number of values of an attribute.
std::uint64_t count_values(const std::vector<std::uint64_t>& dims) {
  std::uint64_t count = 1;
  for (const std::uint64_t dim : dims) count = dim == 1 ? count : dim == 0 ? 0 : count + 1;
  return count;
}

}  // namespace

std::vector<std::uint64_t> parse_dataspace(Cursor message) {
  const unsigned version = message.u8();
  const std::size_t rank = message.u8();
  message.skip(1);
  if (version == 1) {
    message.skip(5);
  } else if (version == 2) {
    message.skip(1);
  } else {
    message.fail(fmt::format("a dataspace of version {}", version));
  }
  std::vector<std::uint64_t> dims(rank);
  for (std::uint64_t& dim : dims) dim = message.u64();
  return dims;
}

StoredType parse_datatype(Cursor message) {
  const std::uint32_t head = message.u32();
  const unsigned kind = head & 0xFU;
  const std::uint32_t bits = head >> 8;
  const std::size_t width = message.u32();
  if (kind == kInteger) return parse_integer(message, bits, width);
  if (kind == kFloat) return parse_float(message, bits, width);
  if (kind == kText) {
    if (width == 0) message.fail("texts of no bytes");
    return {StoredType::Kind::fixed_text, Element::u8, false, (bits & 0xFU) == 2, width};
  }
  if (kind == kVariable && (bits & 0xFU) == 1 && width == 16) {
    return {StoredType::Kind::variable_text, Element::u8, false, false, width};
  }
  message.fail("neither numbers nor texts");
}

StoredLayout parse_layout(const AddressedFile& file, Cursor message) {
  const unsigned version = message.u8();
  if (version != 3) message.fail(fmt::format("a layout of version {}", version));
  StoredLayout layout;
  const unsigned kind = message.u8();
  if (kind == 0) {  // compact: the values are in the message
    layout.bytes = message.u16();
    layout.offset = message.at();
    message.skip(layout.bytes);
  } else if (kind == 1) {  // contiguous
    const std::uint64_t address = message.u64();
    layout.bytes = message.u64();
    if (address == kNoAddress) layout.bytes = 0;
    layout.offset = file.at(layout.bytes == 0 ? 0 : address, layout.bytes, "the values").at();
  } else if (kind == 2) {
    layout.chunked = true;
    const std::size_t rank = message.u8();  // that of the dataset, and the bytes of a value
    layout.offset = message.u64();
    if (rank != 2 && rank != 3) message.fail("chunks of another rank than 1 or 2");
    for (std::size_t i = 0; i + 1 < rank; ++i) layout.chunk.push_back(message.u32());
  } else {
    message.fail("a layout that is neither compact, contiguous nor chunked");
  }
  return layout;
}

std::vector<Filter> parse_filters(Cursor message) {
  const unsigned version = message.u8();
  if (version != 1 && version != 2) message.fail(fmt::format("filters of version {}", version));
  const std::size_t count = message.u8();
  message.skip(version == 1 ? 6 : 0);
  std::vector<Filter> filters;
  for (std::size_t i = 0; i < count; ++i) {
    const unsigned id = message.u16();
    const std::uint64_t name = version == 1 || id >= 256 ? message.u16() : 0;
    message.skip(2);
    const std::size_t values = message.u16();
    message.skip(padded(name, version == 1));
    const std::uint32_t first = values > 0 ? message.u32() : 0;
    if (values > 1) message.skip(4 * (values - 1));
    if (version == 1 && values % 2 == 1) message.skip(4);
    if (id == 1) {
      filters.push_back({FilterKind::deflate, 0});
    } else if (id == 2 && first > 0) {
      filters.push_back({FilterKind::shuffle, first});
    } else {
      message.fail(fmt::format("packed by filter {}; known are deflate and shuffle", id));
    }
  }
  return filters;
}

Attribute parse_attribute(Cursor message) {
  const unsigned version = message.u8();
  if (version < 1 || version > 3) message.fail(fmt::format("an attribute of version {}", version));
  const unsigned flags = message.u8();
  const std::uint64_t name_bytes = message.u16();
  const std::uint64_t type_bytes = message.u16();
  const std::uint64_t space_bytes = message.u16();
  message.skip(version == 3 ? 1 : 0);
  Attribute attribute;
  const bool pad = version == 1;
  const auto* name = reinterpret_cast<const char*>(message.take(padded(name_bytes, pad)));
  attribute.name.assign(name, ::strnlen(name, name_bytes));
  Cursor type = message.part(padded(type_bytes, pad));
  Cursor space = message.part(padded(space_bytes, pad));
  if (version > 1 && flags != 0) return attribute;  // its type is elsewhere
  try {
    if (count_values(parse_dataspace(space)) != 1) return attribute;
    attribute.type = parse_datatype(type);
  } catch (const std::runtime_error&) {
    return attribute;  // only those that are asked for need be known
  }
  attribute.value = message.take(attribute.type->width);
  return attribute;
}

}  // namespace obliq::datasets

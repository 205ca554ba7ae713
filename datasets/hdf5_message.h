// Messages of classic object headers: shape, type, layout, filters, attributes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "datasets/element.h"
#include "datasets/hdf5_object.h"

namespace obliq::datasets {

/// What one value of a dataset is.
struct StoredType {
  enum class Kind { number, fixed_text, variable_text };
  Kind kind = Kind::number;
  Element element = Element::f32;  ///< numbers
  bool swapped = false;            ///< numbers: big-endian
  bool space_padded = false;       ///< fixed text
  std::size_t width = 0;           ///< bytes; a variable text is a reference to the global heap
};

/// Where the values of a dataset lie.
struct StoredLayout {
  bool chunked = false;
  std::uint64_t offset = 0;          ///< of the values in the file; chunked: address of the tree
  std::uint64_t bytes = 0;           ///< of the values
  std::vector<std::uint64_t> chunk;  ///< rows, cols
};

enum class FilterKind { deflate, shuffle };

/// A step of packing, in the order of writing.
struct Filter {
  FilterKind kind;
  std::size_t width;  ///< shuffle: bytes of a value
};

/// All throw std::runtime_error with the offset of what is damaged or not known.
std::vector<std::uint64_t> parse_dataspace(Cursor message);
StoredType parse_datatype(Cursor message);
StoredLayout parse_layout(const AddressedFile& file, Cursor message);
std::vector<Filter> parse_filters(Cursor message);

/// An attribute of one value.
struct Attribute {
  std::string name;
  std::optional<StoredType> type;  ///< nothing: a type that we do not know, or many values
  const std::uint8_t* value = nullptr;
};
Attribute parse_attribute(Cursor message);

}  // namespace obliq::datasets

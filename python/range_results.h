// Results of range searches and iterators as Python takes them, of an index and of a collection.
#pragma once

#include <nanobind/nanobind.h>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "obliq/index.h"
#include "obliq/search_iterator.h"
#include "python/arrays.h"
#include "python/search_arrays.h"

namespace obliq::python {

/// An array [values] that takes the vector over.
template <typename T>
nb::ndarray<nb::numpy, T> moved_array(std::vector<T>&& values) {
  auto owned = std::make_unique<std::vector<T>>(std::move(values));
  T* data = owned->data();
  const std::size_t size = owned->size();
  nb::capsule owner(owned.release(), [](void* vector) noexcept {
    std::unique_ptr<std::vector<T>> freed(static_cast<std::vector<T>*>(vector));
  });
  return nb::ndarray<nb::numpy, T>(data, {size}, owner);
}

/// (lims, distances, ids, cut, columns or None)
nb::tuple range_tuple(RangeSearchResult&& found, bool with_columns);

/// An iterator with what its options name.
struct HeldIterator {
  Wanted wanted;
  std::optional<SearchIterator> iterator;
};

/// The calls of an index, and the class of iterators (range_binding.cc).
void bind_range(nb::module_& module, nb::class_<Index>& type);

}  // namespace obliq::python

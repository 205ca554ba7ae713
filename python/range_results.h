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
#include "python/gil.h"
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

/// Views the names of `wanted`, which may be null.
RangeSearchOptions range_options(float confidence, bool exact, std::size_t max_results, int threads,
                                 const Wanted* wanted);

/// (lims, distances, ids, cut, columns or None); ids as Python takes them.
template <typename Result>
nb::tuple range_tuple(Result&& found, const nb::object& ids, bool with_columns) {
  std::vector<std::int64_t> lims(found.lims.begin(), found.lims.end());
  nb::object columns = nb::none();
  if (with_columns) columns = column_list(found.columns);
  return nb::make_tuple(moved_array(std::move(lims)), moved_array(std::move(found.distances)), ids,
                        moved_array(std::move(found.cut)), columns);
}
nb::tuple range_tuple(RangeSearchResult&& found, bool with_columns);

/// An iterator with what its options name.
struct HeldIterator {
  Wanted wanted;
  std::optional<SearchIterator> iterator;
};

/// An iterator of an index or a collection. Called with the GIL.
template <typename Owner>
std::unique_ptr<HeldIterator> hold_iterator(const Owner& owner, const FloatMatrix& query,
                                            std::optional<std::int64_t> nprobe, float confidence,
                                            int threads, double target_recall,
                                            const Wanted* wanted) {
  constexpr std::size_t kAnyNumber = 10;  // each batch has its own
  SearchOptions options =
      search_options(kAnyNumber, nprobe, confidence, threads, target_recall, "auto");
  auto held = std::make_unique<HeldIterator>();
  if (wanted != nullptr) held->wanted = *wanted;
  held->wanted.put_into(options);
  const GilRelease release;
  held->iterator.emplace(owner.search_iterator(view_of(query), options));
  return held;
}

/// The calls of an index, and the class of iterators (range_binding.cc).
void bind_range(nb::module_& module, nb::class_<Index>& type);

}  // namespace obliq::python

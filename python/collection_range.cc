// Range searches, iterators and counts of obliq._core.Collection.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "python/arrays.h"
#include "python/gil.h"
#include "python/range_results.h"
#include "python/search_arrays.h"
#include "python/shared_collection.h"

namespace obliq::python {
namespace {

std::size_t count(const SharedCollection& self) {
  const auto collection = self.get();
  const GilRelease release;
  return collection->count();
}

std::size_t count_passing(const SharedCollection& self, const Filter& filter) {
  const auto collection = self.get();
  const GilRelease release;
  return collection->count(filter);
}

nb::tuple range_search(const SharedCollection& self, const FloatMatrix& queries, float radius,
                       float confidence, bool exact, std::size_t max_results, int threads,
                       const Wanted* wanted) {
  const RangeSearchOptions options = range_options(confidence, exact, max_results, threads, wanted);
  RangeSearchResult found;
  {
    const auto collection = self.get();
    const GilRelease release;
    found = collection->range_search(view_of(queries), radius, options);
  }
  return range_tuple(std::move(found), !options.columns.empty());
}

nb::tuple range_search_keys(const SharedCollection& self, const FloatMatrix& queries, float radius,
                            float confidence, bool exact, std::size_t max_results, int threads,
                            const Wanted* wanted) {
  const RangeSearchOptions options = range_options(confidence, exact, max_results, threads, wanted);
  KeyedRangeSearchResult found;
  {
    const auto collection = self.get();
    const GilRelease release;
    found = collection->range_search_keys(view_of(queries), radius, options);
  }
  const nb::list keys = key_list(found.keys);
  return range_tuple(std::move(found), keys, !options.columns.empty());
}

std::unique_ptr<HeldIterator> search_iterator(const SharedCollection& self,
                                              const FloatMatrix& query,
                                              std::optional<std::int64_t> nprobe, float confidence,
                                              int threads, double target_recall,
                                              const Wanted* wanted) {
  const auto collection = self.get();
  return hold_iterator(*collection, query, nprobe, confidence, threads, target_recall, wanted);
}

}  // namespace

void bind_range(nb::class_<SharedCollection>& type) {
  type.def("count", &count)
      .def("count_passing", &count_passing, nb::arg("filter"))
      .def("range_search", &range_search, nb::arg("queries"), nb::arg("radius"),
           nb::arg("confidence"), nb::arg("exact"), nb::arg("max_results"), nb::arg("threads"),
           nb::arg("wanted").none(),
           nb::sig("def range_search(self, queries: NDArray[numpy.float32], radius: float, "
                   "confidence: float, exact: bool, max_results: int, threads: int, "
                   "wanted: Wanted | None) -> tuple[NDArray[numpy.int64], NDArray[numpy.float32], "
                   "NDArray[typing.Any], NDArray[numpy.uint8], list[typing.Any] | None]"))
      .def("range_search_keys", &range_search_keys, nb::arg("queries"), nb::arg("radius"),
           nb::arg("confidence"), nb::arg("exact"), nb::arg("max_results"), nb::arg("threads"),
           nb::arg("wanted").none(),
           nb::sig("def range_search_keys(self, queries: NDArray[numpy.float32], radius: float, "
                   "confidence: float, exact: bool, max_results: int, threads: int, "
                   "wanted: Wanted | None) -> tuple[NDArray[numpy.int64], NDArray[numpy.float32], "
                   "list[str | None], NDArray[numpy.uint8], list[typing.Any] | None]"))
      .def("search_iterator", &search_iterator, nb::arg("query"), nb::arg("nprobe").none(),
           nb::arg("confidence"), nb::arg("threads"), nb::arg("target_recall"),
           nb::arg("wanted").none(),
           nb::sig("def search_iterator(self, query: NDArray[numpy.float32], "
                   "nprobe: int | None, confidence: float, threads: int, target_recall: float, "
                   "wanted: Wanted | None) -> SearchIterator"));
}

}  // namespace obliq::python

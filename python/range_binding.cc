// Range searches and iterators of obliq._core.Index, and their results as Python takes them.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "obliq/index.h"
#include "obliq/search_iterator.h"
#include "python/arrays.h"
#include "python/gil.h"
#include "python/range_results.h"
#include "python/search_arrays.h"

namespace obliq::python {
namespace {

nb::tuple range_search(const Index& index, const FloatMatrix& queries, float radius,
                       float confidence, bool exact, std::size_t max_results, int threads,
                       const Wanted* wanted) {
  const RangeSearchOptions options = range_options(confidence, exact, max_results, threads, wanted);
  RangeSearchResult found;
  {
    const GilRelease release;
    found = index.range_search(view_of(queries), radius, options);
  }
  return range_tuple(std::move(found), !options.columns.empty());
}

std::unique_ptr<HeldIterator> search_iterator(const Index& index, const FloatMatrix& query,
                                              std::optional<std::int64_t> nprobe, float confidence,
                                              int threads, double target_recall,
                                              const Wanted* wanted) {
  return hold_iterator(index, query, nprobe, confidence, threads, target_recall, wanted);
}

/// (distances, ids, columns or None)
nb::tuple next(HeldIterator& self, std::size_t k) {
  SearchResult found;
  {
    const GilRelease release;
    found = self.iterator->next(k);
  }
  nb::object columns = nb::none();
  if (!self.wanted.columns.empty()) columns = column_list(found.columns);
  return nb::make_tuple(moved_array(std::move(found.distances.values)),
                        moved_array(std::move(found.ids.values)), columns);
}

}  // namespace

RangeSearchOptions range_options(float confidence, bool exact, std::size_t max_results, int threads,
                                 const Wanted* wanted) {
  RangeSearchOptions options;
  options.confidence = confidence;
  options.exact = exact;
  options.max_results = max_results;
  options.threads = threads;
  if (wanted != nullptr) wanted->put_into(options);
  return options;
}

nb::tuple range_tuple(RangeSearchResult&& found, bool with_columns) {
  const nb::object ids = nb::cast(moved_array(std::move(found.ids)));
  return range_tuple(std::move(found), ids, with_columns);
}

void bind_range(nb::module_& module, nb::class_<Index>& type) {
  nb::class_<HeldIterator>(module, "SearchIterator")
      .def("next", &next, nb::arg("k"),
           nb::sig("def next(self, k: int) -> tuple[NDArray[numpy.float32], NDArray[typing.Any], "
                   "list[typing.Any] | None]"));
  type.def("range_search", &range_search, nb::arg("queries"), nb::arg("radius"),
           nb::arg("confidence"), nb::arg("exact"), nb::arg("max_results"), nb::arg("threads"),
           nb::arg("wanted").none(),
           nb::sig("def range_search(self, queries: NDArray[numpy.float32], radius: float, "
                   "confidence: float, exact: bool, max_results: int, threads: int, "
                   "wanted: Wanted | None) -> tuple[NDArray[numpy.int64], NDArray[numpy.float32], "
                   "NDArray[typing.Any], NDArray[numpy.uint8], list[typing.Any] | None]"))
      .def("search_iterator", &search_iterator, nb::keep_alive<0, 1>(), nb::arg("query"),
           nb::arg("nprobe").none(), nb::arg("confidence"), nb::arg("threads"),
           nb::arg("target_recall"), nb::arg("wanted").none(),
           nb::sig("def search_iterator(self, query: NDArray[numpy.float32], "
                   "nprobe: int | None, confidence: float, threads: int, target_recall: float, "
                   "wanted: Wanted | None) -> SearchIterator"));
}

}  // namespace obliq::python

// obliq._core.Filter: conditions that answers must satisfy, as Python's obliq.Filter makes them.
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/variant.h>
#include <nanobind/stl/vector.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "obliq/filter.h"
#include "python/arrays.h"
#include "python/bindings.h"
#include "python/gil.h"
#include "python/search_arrays.h"

namespace obliq::python {
namespace {

using Bytes = nb::ndarray<const std::uint8_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Keys = std::vector<std::string_view>;

Filter allow(const Ids& ids, bool allowed) {
  const std::span<const std::int64_t> span(ids.data(), ids.shape(0));
  const GilRelease release;
  return allowed ? Filter::allow(span) : Filter::deny(span);
}

Filter allow_keys(const Keys& keys, bool allowed) {
  return allowed ? Filter::allow_keys(keys) : Filter::deny_keys(keys);
}

Filter positions(const Bytes& allowed) {
  return Filter::positions({allowed.data(), allowed.shape(0)});
}

/// callable(id) as true, false or, when it raised, neither. Nothing here has a destructor (gil.h).
int ask(PyObject* callable, std::int64_t id) {
  PyObject* answer = PyObject_CallFunction(callable, "L", static_cast<long long>(id));
  if (answer == nullptr) return -1;
  const int truth = PyObject_IsTrue(answer);
  Py_DECREF(answer);
  return truth;
}

/// The filter may be dropped by any thread, and after Python has ended.
std::shared_ptr<PyObject> shared(const nb::callable& callable) {
  return {nb::object(callable).release().ptr(), [](PyObject* object) {
            if (Py_IsInitialized() == 0) return;
            const GilAcquire gil;
            Py_DECREF(object);
          }};
}

/// What the callable raises, a search raises.
Filter callback(const nb::callable& callable) {
  return Filter::callback([object = shared(callable)](std::int64_t id) {
    const GilAcquire gil;
    const int answer = stay_while_python_ends([&] { return ask(object.get(), id); });
    if (answer < 0) throw nb::python_error();
    return answer != 0;
  });
}

Wanted wanted_of(const Filter* filter, std::vector<std::string> columns) {
  Wanted wanted;
  if (filter != nullptr) wanted.filter = *filter;
  wanted.columns = std::move(columns);
  return wanted;
}

Filter all_of(const std::vector<Filter>& filters) { return Filter::all_of(filters); }

Filter where(std::string_view expression, std::vector<FilterValue> params) {
  return Filter::where(expression, std::move(params));
}

}  // namespace

void bind_filter(nb::module_& module) {
  nb::class_<Wanted>(module, "Wanted")
      .def_static("of", &wanted_of, nb::arg("filter").none(), nb::arg("columns"),
                  nb::sig("def of(filter: Filter | None, "
                          "columns: collections.abc.Sequence[str]) -> Wanted"));
  nb::class_<Filter>(module, "Filter")
      .def_static("where", &where, nb::arg("expression"), nb::arg("params"),
                  nb::sig("def where(expression: str, params: list[typing.Any]) -> Filter"))
      .def_static("allow", &allow, nb::arg("ids"), nb::arg("allowed"))
      .def_static("allow_keys", &allow_keys, nb::arg("keys"), nb::arg("allowed"))
      .def_static("positions", &positions, nb::arg("allowed"))
      .def_static("callback", &callback, nb::arg("callable"),
                  nb::sig("def callback(callable: collections.abc.Callable[[int], object]) -> "
                          "Filter"))
      .def_static("all_of", &all_of, nb::arg("filters"));
}

}  // namespace obliq::python

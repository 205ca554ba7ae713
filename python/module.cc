// obliq._core: the C++ library for Python. Users import obliq; this module is its inside.
#include <nanobind/nanobind.h>

#include <exception>
#include <stdexcept>
#include <system_error>

#include "core/kernels/dispatch.h"
#include "obliq/progress.h"
#include "python/bindings.h"
#include "python/forked.h"
#include "python/quick_search.h"

namespace nb = nanobind;

namespace {

/// The text of an error, which may name a path whose bytes are not UTF-8.
nb::object text_of(const std::exception& error) {
  return nb::steal(PyUnicode_DecodeFSDefault(error.what()));
}

/// Also those that nanobind translates by itself: it would lose texts that are not UTF-8.
void translate(const std::exception_ptr& pointer, void*) {
  try {
    std::rethrow_exception(pointer);
  } catch (const obliq::Cancelled&) {
    throw;
  } catch (const std::system_error& error) {
    // The class that Python chooses for the number: FileNotFoundError, PermissionError, ...
    const nb::object made =
        nb::module_::import_("builtins").attr("OSError")(error.code().value(), text_of(error));
    PyErr_SetObject(made.type().ptr(), made.ptr());
  } catch (const std::invalid_argument& error) {
    PyErr_SetObject(PyExc_ValueError, text_of(error).ptr());
  } catch (const std::runtime_error& error) {
    PyErr_SetObject(PyExc_RuntimeError, text_of(error).ptr());
  }
}

}  // namespace

NB_MODULE(_core, module) {
  nb::set_leak_warnings(false);  // daemon threads hold what they work on until the process ends
  nb::register_exception_translator(translate);
  nb::exception<obliq::Cancelled>(module, "Cancelled", PyExc_RuntimeError);
  obliq::python::watch_forks();
  module.attr("version") = OBLIQ_VERSION;
  module.def("simd", [] { return obliq::kernels().name; });
  obliq::python::bind_columns(module);
  obliq::python::bind_filter(module);
  obliq::python::bind_model(module);
  obliq::python::bind_index(module);
  obliq::python::bind_collection(module);
  obliq::python::bind_quantizer(module);
  obliq::python::bind_quick_search(module);
}

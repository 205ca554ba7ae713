// obliq._core: the C++ library for Python. Users import obliq; this module is its inside.
#include <nanobind/nanobind.h>

#include <system_error>

#include "core/kernels/dispatch.h"
#include "obliq/progress.h"
#include "python/bindings.h"

namespace nb = nanobind;

namespace {

/// std::invalid_argument becomes ValueError and std::runtime_error RuntimeError by themselves.
void translate(const std::exception_ptr& pointer, void*) {
  try {
    std::rethrow_exception(pointer);
  } catch (const std::system_error& error) {
    // The class that Python chooses for the number: FileNotFoundError, PermissionError, ...
    const nb::object made =
        nb::module_::import_("builtins").attr("OSError")(error.code().value(), error.what());
    PyErr_SetObject(made.type().ptr(), made.ptr());
  }
}

}  // namespace

NB_MODULE(_core, module) {
  nb::set_leak_warnings(false);  // daemon threads hold what they work on until the process ends
  nb::register_exception_translator(translate);
  nb::exception<obliq::Cancelled>(module, "Cancelled", PyExc_RuntimeError);
  module.attr("version") = OBLIQ_VERSION;
  module.def("simd", [] { return obliq::kernels().name; });
  obliq::python::bind_index(module);
  obliq::python::bind_quantizer(module);
}

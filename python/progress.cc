#include "python/progress.h"

#include <string_view>

namespace obliq::python {
namespace {

/// callable(stage, fraction), as a new reference; null when Python raised. Nothing here has a
/// destructor, which would run without the lock where Python ends the thread in the call.
PyObject* call(PyObject* callable, std::string_view stage, double fraction) {
  const auto size = static_cast<Py_ssize_t>(stage.size());
  PyObject* arguments =
      Py_BuildValue("(Nd)", PyUnicode_FromStringAndSize(stage.data(), size), fraction);
  if (arguments == nullptr) return nullptr;
  PyObject* result = PyObject_CallObject(callable, arguments);
  Py_DECREF(arguments);
  return result;
}

}  // namespace

Progress progress_of(const nb::object& callable) {
  return [&callable](std::string_view stage, double fraction) {
    const GilAcquire gil;
    return stay_while_python_ends([&] {
      if (PyErr_CheckSignals() != 0) return false;
      if (callable.is_none()) return true;
      PyObject* result = call(callable.ptr(), stage, fraction);
      const bool goes_on = result != nullptr && result != Py_False;
      Py_XDECREF(result);
      return goes_on;
    });
  };
}

}  // namespace obliq::python

// Progress of long calls as Python sees it: callbacks of (stage, fraction), Ctrl-C, and what either
// raises.
#pragma once

#include <nanobind/nanobind.h>

#include "obliq/progress.h"
#include "python/gil.h"

namespace obliq::python {

namespace nb = nanobind;

/// Calls a Python function with (stage, fraction); it may return False to stop. Also lets Ctrl-C
/// through. What Python raised stays pending. `callable` outlives the result; None calls nothing.
Progress progress_of(const nb::object& callable);

/// Calls `work` without the GIL; what progress raised in Python is raised again.
template <typename Work>
auto unless_cancelled(const Work& work) {
  try {
    const GilRelease release;
    return work();
  } catch (const Cancelled&) {
    if (PyErr_Occurred() != nullptr) throw nb::python_error();
    throw;
  }
}

}  // namespace obliq::python

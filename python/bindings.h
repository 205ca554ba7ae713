// The parts of the module obliq._core, each in the file of its name.
#pragma once

#include <nanobind/nanobind.h>

namespace obliq::python {

void bind_collection(nanobind::module_& module);
void bind_columns(nanobind::module_& module);
void bind_filter(nanobind::module_& module);
void bind_index(nanobind::module_& module);
void bind_model(nanobind::module_& module);
void bind_quantizer(nanobind::module_& module);

}  // namespace obliq::python

//===- Module.cpp - The Python module rootc._runtime ----------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Bindings.h"

NB_MODULE(_runtime, module) {
  module.doc() = "The runtime library of rootc; use it through `rootc`.";
  nanobind::exception<rootc::Error> error(module, "Error", PyExc_RuntimeError);
  error.attr("__module__") = "rootc";
  error.attr("__doc__") = "What rootc could not do: names the file, flag or "
                          "tensor, and the remedy.";
  rootc::python::bindModel(module);
  rootc::python::bindData(module);
}

//===- Arrays.h - Arrays of Python, in place --------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Arguments are arrays of NumPy, PyTorch or whoever else has the buffer
// protocol or DLPack, and are never copied: what is not as it has to be is
// refused, with the call that makes it so.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_PYTHON_ARRAYS_H
#define ROOTC_PYTHON_ARRAYS_H

#include "rootc/runtime.h"

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <optional>

namespace rootc::python {

namespace nb = nanobind;

using Array = nb::ndarray<nb::ro>;
using Destination = nb::ndarray<>;
using FloatView = nb::ndarray<nb::numpy, const float>;
using IntView = nb::ndarray<nb::numpy, const int64_t>;

/// "float32"
std::string dtypeName(nb::dlpack::dtype dtype);

/// The values of an argument, which has to be dense, on the CPU, and of this
/// shape, -1 being any; throws TypeError or ValueError, which call it `name`.
const float *floatsOf(const Array &array, const char *name,
                      const std::vector<int64_t> &shape);
const int64_t *integersOf(const Array &array, const char *name,
                          const std::vector<int64_t> &shape);

/// A NumPy array of memory that `owner` keeps.
FloatView viewOf(const float *values, const std::vector<int64_t> &shape,
                 nb::handle owner);
IntView viewOf(const std::vector<int64_t> &values, nb::handle owner);
/// A NumPy array with a copy of the values.
FloatView copyOf(const FloatArray &values, const std::vector<int64_t> &shape);

/// A capsule that keeps what is shared.
template <typename T> nb::capsule capsuleOf(std::shared_ptr<T> shared) {
  return nb::capsule(new std::shared_ptr<T>(std::move(shared)),
                     [](void *pointer) noexcept {
                       delete static_cast<std::shared_ptr<T> *>(pointer);
                     });
}

/// Tells Python's logger "rootc".
void warn(const std::vector<std::string> &messages);

} // namespace rootc::python

#endif // ROOTC_PYTHON_ARRAYS_H

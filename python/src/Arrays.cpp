//===- Arrays.cpp - Arrays of Python, in place ----------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Arrays.h"
#include "runtime/src/Support.h"

#include <fmt/ranges.h>

using namespace rootc;
using namespace rootc::python;

std::string python::dtypeName(nb::dlpack::dtype dtype) {
  using Code = nb::dlpack::dtype_code;
  auto kind = [&]() -> const char * {
    switch (Code(dtype.code)) {
    case Code::Int:
      return "int";
    case Code::UInt:
      return "uint";
    case Code::Float:
      return "float";
    case Code::Bfloat:
      return "bfloat";
    case Code::Complex:
      return "complex";
    default:
      return "type";
    }
  };
  return fmt::format("{}{}", kind(), dtype.bits * dtype.lanes);
}

static bool isDense(const Array &array) {
  int64_t expected = 1;
  for (size_t i = array.ndim(); i-- > 0;) {
    if (array.shape(i) != 1 && array.stride(i) != expected)
      return false;
    expected *= int64_t(array.shape(i));
  }
  return true;
}

static const void *check(const Array &array, const char *name,
                         nb::dlpack::dtype dtype,
                         const std::vector<int64_t> &shape) {
  if (array.device_type() != nb::device::cpu::value)
    throw nb::value_error(
        fmt::format("{} is in a device's memory; pass {}.cpu()", name, name)
            .c_str());
  if (array.dtype() != dtype)
    throw nb::type_error(
        fmt::format("{} has dtype {} and must have {}: pass {}.astype('{}')",
                    name, dtypeName(array.dtype()), dtypeName(dtype), name,
                    dtypeName(dtype))
            .c_str());
  std::vector<int64_t> given(array.shape_ptr(),
                             array.shape_ptr() + array.ndim());
  bool fits = given.size() == shape.size();
  for (size_t i = 0; fits && i < shape.size(); ++i)
    fits = shape[i] < 0 || shape[i] == given[i];
  if (!fits) {
    std::vector<std::string> wanted;
    for (int64_t size : shape)
      wanted.push_back(size < 0 ? "N" : fmt::format("{}", size));
    throw nb::value_error(fmt::format("{} has shape {} and must have [{}]",
                                      name, toString(given),
                                      fmt::join(wanted, ","))
                              .c_str());
  }
  if (!isDense(array))
    throw nb::value_error(
        fmt::format("{} is not dense in C order, and is not copied in silence: "
                    "pass numpy.ascontiguousarray({})",
                    name, name)
            .c_str());
  return array.data();
}

const float *python::floatsOf(const Array &array, const char *name,
                              const std::vector<int64_t> &shape) {
  return static_cast<const float *>(
      check(array, name, nb::dtype<float>(), shape));
}

const int64_t *python::integersOf(const Array &array, const char *name,
                                  const std::vector<int64_t> &shape) {
  return static_cast<const int64_t *>(
      check(array, name, nb::dtype<int64_t>(), shape));
}

FloatView python::viewOf(const float *values, const std::vector<int64_t> &shape,
                         nb::handle owner) {
  std::vector<size_t> sizes(shape.begin(), shape.end());
  return FloatView(values, sizes.size(), sizes.data(), owner);
}

IntView python::viewOf(const std::vector<int64_t> &values, nb::handle owner) {
  return IntView(values.data(), {values.size()}, owner);
}

FloatView python::copyOf(const FloatArray &values,
                         const std::vector<int64_t> &shape) {
  auto copy = std::make_shared<FloatArray>(values);
  return viewOf(copy->data(), shape, capsuleOf(copy));
}

void python::warn(const std::vector<std::string> &messages) {
  if (messages.empty())
    return;
  nb::object logger =
      nb::module_::import_("logging").attr("getLogger")("rootc");
  for (const std::string &message : messages)
    logger.attr("warning")("%s", message.c_str());
}

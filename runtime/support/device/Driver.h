//===- Driver.h - Functions of a driver's library ---------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A driver is loaded when a device is first asked for, so that a library for a
// device can be opened on any machine. Once loaded it stays.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_DRIVER_H
#define ROOTC_DRIVER_H

#include "runtime/support/Device.h"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

namespace {

/// A function of the driver's, and the name that it has there.
struct DriverFunction {
  void **address;
  const char *name;
};

/// Finds all functions in the library `file`; else leaves a message, which says
/// what is missing: "CUDA driver".
bool loadDriver(rootc_context *context, const char *file, const char *what,
                const char *remedy, const DriverFunction *functions,
                int count) {
  void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    rootc_support_error(context,
                        "there is no %s on this machine (%s cannot be "
                        "loaded); %s",
                        what, file, remedy);
    return false;
  }
  for (int i = 0; i < count; ++i) {
    *functions[i].address = dlsym(library, functions[i].name);
    if (!*functions[i].address) {
      rootc_support_error(context,
                          "the %s on this machine (%s) has no '%s'; "
                          "install a newer one",
                          what, file, functions[i].name);
      return false;
    }
  }
  return true;
}

} // namespace

#endif // ROOTC_DRIVER_H

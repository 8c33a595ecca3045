//===- Kernels.h - Starting a kernel on a device ----------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A kernel's user context is its call's rootc_frame; what is returned are
// Halide's error codes.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_DEVICE_KERNELS_H
#define ROOTC_DEVICE_KERNELS_H

#include "runtime/support/Device.h"

namespace {

const int halideOutOfMemory = -11, halideDeviceError = -1;

rootc_lane *laneOf(void *userContext) {
  return ((rootc_frame *)userContext)->lane;
}

rootc_context *contextOf(void *userContext) {
  return ((rootc_frame *)userContext)->context;
}

int codeOf(int status) {
  return status == ROOTC_OK             ? 0
         : status == ROOTC_ERROR_MEMORY ? halideOutOfMemory
                                        : halideDeviceError;
}

/// Starts the function `name` of the module with a text.
int run(void *userContext, void *text, const char *name,
        const rootc_launch &launch) {
  rootc_lane *lane = laneOf(userContext);
  rootc_device *device = lane->device;
  pthread_mutex_lock(rootc_support_lock_of(device));
  void *function = nullptr;
  int status = rootc_support_function(contextOf(userContext), device,
                                      (const char *)text, name, &function);
  if (status == ROOTC_OK)
    status = rootc_support_api_of(device)->launch(
        contextOf(userContext), rootc_support_state_of(device), lane->stream,
        function, &launch);
  pthread_mutex_unlock(rootc_support_lock_of(device));
  return codeOf(status);
}

/// Says that the device's memory is too small.
int lacksTemporary(void *userContext, size_t bytes) {
  rootc_support_error(contextOf(userContext),
                      "%llu MiB of the device's memory for intermediate "
                      "results cannot be had; use a smaller batch",
                      (unsigned long long)(bytes >> 20) + 1);
  return halideOutOfMemory;
}

} // namespace

#endif // ROOTC_DEVICE_KERNELS_H

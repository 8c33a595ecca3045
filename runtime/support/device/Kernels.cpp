//===- Kernels.cpp - What kernels for a device call -----------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A kernel of Halide's for a device is a host function that loads the device's
// code, which it holds as text, and starts it. Halide's own runtime aborts
// where no driver is, keeps one context for the process, and has the driver
// give a thread 64 registers; so the few functions that kernels call are here.
//
//===----------------------------------------------------------------------===//

#include "runtime/support/device/Kernels.h"

namespace {

/// A module is known by its text.
int initialise(void **state, const char *text) {
  __atomic_store_n(state, (void *)text, __ATOMIC_RELAXED);
  return 0;
}

size_t bytesOf(const rootc_kernel_buffer &buffer) {
  size_t elements = 1;
  for (int32_t i = 0; i < buffer.dimensions; ++i)
    elements += size_t(buffer.dim[i].extent - 1) * buffer.dim[i].stride;
  return elements * (((buffer.type >> 8 & 0xff) + 7) / 8);
}

/// The second of Halide's flags: the device's copy is the newer one.
const uint64_t hostDirty = 1, deviceDirty = 2;

} // namespace

#pragma GCC visibility push(hidden)
extern "C" {

#define ROOTC_DEVICE_KERNELS(kind)                                             \
  int halide_##kind##_initialize_kernels(void *, void **state,                 \
                                         const char *text, int) {              \
    return initialise(state, text);                                            \
  }                                                                            \
  void halide_##kind##_finalize_kernels(void *, void *) {}                     \
  int halide_##kind##_run(void *user_context, void *text, const char *name,    \
                          int blocks_x, int blocks_y, int blocks_z,            \
                          int threads_x, int threads_y, int threads_z,         \
                          int shared_bytes, size_t sizes[], void *arguments[], \
                          int8_t is_buffer[]) {                                \
    rootc_launch launch = {{blocks_x, blocks_y, blocks_z},                     \
                           {threads_x, threads_y, threads_z},                  \
                           shared_bytes,                                       \
                           sizes,                                              \
                           arguments,                                          \
                           is_buffer};                                         \
    return run(user_context, text, name, launch);                              \
  }                                                                            \
  const rootc_device_api *halide_##kind##_device_interface(void) {             \
    return rootc_support_##kind();                                             \
  }
ROOTC_DEVICE_KERNELS(cuda)
ROOTC_DEVICE_KERNELS(opencl)
#undef ROOTC_DEVICE_KERNELS

/// Of results that a kernel keeps between its loops: the operands are there.
int halide_device_malloc(void *user_context, rootc_kernel_buffer *buffer,
                         const rootc_device_api *api) {
  if (buffer->device)
    return 0;
  size_t bytes = bytesOf(*buffer);
  buffer->device = rootc_support_take_temporary(laneOf(user_context), bytes);
  if (!buffer->device)
    return lacksTemporary(user_context, bytes);
  buffer->device_interface = api;
  return 0;
}

int halide_device_free(void *user_context, rootc_kernel_buffer *buffer) {
  if (buffer->device)
    rootc_support_give_temporary(laneOf(user_context), buffer->device);
  buffer->device = 0;
  buffer->device_interface = nullptr;
  return 0;
}

void halide_device_free_as_destructor(void *user_context, void *buffer) {
  halide_device_free(user_context, (rootc_kernel_buffer *)buffer);
}

/// No kernel's loops run on the host, so nothing has to be copied.
int halide_copy_to_device(void *user_context, rootc_kernel_buffer *buffer,
                          const rootc_device_api *api) {
  if (buffer->flags & hostDirty) {
    rootc_support_error(contextOf(user_context),
                        "a part of the kernel runs on the host");
    return halideDeviceError;
  }
  return halide_device_malloc(user_context, buffer, api);
}

int halide_copy_to_host(void *user_context, rootc_kernel_buffer *buffer) {
  if (!(buffer->flags & deviceDirty))
    return 0;
  rootc_support_error(contextOf(user_context),
                      "a part of the kernel runs on the host");
  return halideDeviceError;
}
}
#pragma GCC visibility pop

//===- Device.cpp - Devices, and the kernels loaded there -----------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "DeviceState.h"

namespace {

pthread_mutex_t firstLock = PTHREAD_MUTEX_INITIALIZER;
rootc_device *openedFirst; // guarded by firstLock; of contexts without one

/// The context's device, or the first one; null and a message if there is none.
rootc_device *deviceOf(rootc_context *context) {
  if (rootc_device *device = context->device) {
    if (device->api == &hostApi())
      return device;
    rootc_support_error(context,
                        "the context's device was not opened by this model");
    return nullptr;
  }
  pthread_mutex_lock(&firstLock);
  if (!openedFirst && rootc_support_device_open(context, 0) == ROOTC_OK) {
    openedFirst = context->device;
    context->device = nullptr;
  }
  rootc_device *device = openedFirst;
  pthread_mutex_unlock(&firstLock);
  return device;
}

rootc_device *deviceWithMemory(rootc_context *context, int &status) {
  status = ROOTC_OK;
  if (hostApi().shares_memory)
    return nullptr;
  context->error[0] = 0;
  rootc_device *device = deviceOf(context);
  status = device ? ROOTC_OK : ROOTC_ERROR_DEVICE;
  return device;
}

rootc_device *deviceWithMemory(rootc_device *device) {
  if (hostApi().shares_memory)
    return nullptr;
  if (device)
    return device;
  pthread_mutex_lock(&firstLock);
  device = openedFirst;
  pthread_mutex_unlock(&firstLock);
  return device;
}

} // namespace

//===----------------------------------------------------------------------===//
// The CPU
//===----------------------------------------------------------------------===//

static int32_t countCpu(rootc_context *) { return 1; }

static int describeCpu(rootc_context *, int32_t, rootc_device_info *info) {
  const char *why = rootc_support_unsupported();
  *info = {};
  snprintf(info->name, sizeof info->name, "this CPU");
  snprintf(info->problem, sizeof info->problem, "%s", why ? why : "");
  return ROOTC_OK;
}

static int openCpu(rootc_context *, int32_t, void **state) {
  *state = nullptr;
  return ROOTC_OK;
}

static void closeCpu(void *) {}

const rootc_device_api *rootc_support_cpu(void) {
  static const rootc_device_api api = {
      "cpu",   true,    countCpu, describeCpu, openCpu, closeCpu, nullptr,
      nullptr, nullptr, nullptr,  nullptr,     nullptr, nullptr,  nullptr,
      nullptr, nullptr, nullptr,  nullptr,     nullptr, nullptr,  nullptr};
  return &api;
}

//===----------------------------------------------------------------------===//
// Entries
//===----------------------------------------------------------------------===//

int32_t rootc_support_device_count(rootc_context *context) {
  context->error[0] = 0;
  return hostApi().count(context);
}

/// Leaves a message unless there is such a device.
static int checkIndex(rootc_context *context, int32_t index) {
  context->error[0] = 0;
  int32_t count = hostApi().count(context);
  if (count < 0)
    return ROOTC_ERROR_DEVICE;
  if (index >= 0 && index < count)
    return ROOTC_OK;
  if (count == 0)
    rootc_support_error(context, "this machine has no %s device",
                        hostApi().kind);
  else
    rootc_support_error(context,
                        "no %s device %d: this machine has %d, counted from 0",
                        hostApi().kind, index, count);
  return ROOTC_ERROR_DEVICE;
}

int rootc_support_device_info(rootc_context *context, int32_t index,
                              rootc_device_info *info) {
  int status = checkIndex(context, index);
  return status != ROOTC_OK ? status : hostApi().describe(context, index, info);
}

int rootc_support_device_open(rootc_context *context, int32_t index) {
  rootc_device_info info;
  int status = rootc_support_device_info(context, index, &info);
  if (status != ROOTC_OK)
    return status;
  if (info.problem[0]) {
    rootc_support_error(context, "%s device %d, %s: %s", hostApi().kind, index,
                        info.name, info.problem);
    return ROOTC_ERROR_DEVICE;
  }
  auto *device = (rootc_device *)calloc(1, sizeof(rootc_device));
  if (!device)
    return outOfMemory(context);
  device->api = &hostApi();
  status = device->api->open(context, index, &device->state);
  if (status != ROOTC_OK) {
    free(device);
    return status;
  }
  pthread_mutex_init(&device->lock, nullptr);
  context->device = device;
  return ROOTC_OK;
}

void rootc_support_device_close(rootc_device *device) {
  if (!device)
    return;
  const rootc_device_api &api = *device->api;
  emptyAhead(device);
  while (rootc_lane *lane = device->idle) {
    device->idle = lane->next;
    emptyLane(lane);
    api.close_stream(device->state, lane->stream);
    free(lane);
  }
  while (Ahead *ahead = device->ahead) {
    device->ahead = ahead->next;
    api.close_stream(device->state, ahead->stream);
    free(ahead);
  }
  while (Pinned *pinned = device->pinned) {
    device->pinned = pinned->next;
    if (pinned->locked)
      api.unpin(device->state, pinned->host);
    free(pinned);
  }
  while (Range *range = device->ranges) {
    device->ranges = range->next;
    forget(device, range);
  }
  for (Module *&bucket : device->modules)
    while (Module *module = bucket) {
      bucket = module->next;
      while (Function *function = module->functions) {
        module->functions = function->next;
        api.release(device->state, function->handle);
        free(function);
      }
      api.unload(device->state, module->handle);
      free(module);
    }
  api.close(device->state);
  pthread_mutex_destroy(&device->lock);
  free(device);
}

//===----------------------------------------------------------------------===//
// For device/
//===----------------------------------------------------------------------===//

const rootc_device_api *rootc_support_api_of(const rootc_device *device) {
  return device->api;
}
void *rootc_support_state_of(const rootc_device *device) {
  return device->state;
}
pthread_mutex_t *rootc_support_lock_of(rootc_device *device) {
  return &device->lock;
}

static Module *findModule(rootc_context *context, rootc_device *device,
                          const char *text) {
  Module *&bucket = device->modules[(uintptr_t)text / 16 % moduleBuckets];
  for (Module *module = bucket; module; module = module->next)
    if (module->text == text)
      return module;
  auto *module = (Module *)calloc(1, sizeof(Module));
  if (!module) {
    outOfMemory(context);
    return nullptr;
  }
  module->text = text;
  if (device->api->load(context, device->state, text, &module->handle) !=
      ROOTC_OK) {
    free(module);
    return nullptr;
  }
  module->next = bucket;
  bucket = module;
  return module;
}

int rootc_support_function(rootc_context *context, rootc_device *device,
                           const char *text, const char *name,
                           void **function) {
  Module *module = findModule(context, device, text);
  if (!module)
    return ROOTC_ERROR_DEVICE;
  for (Function *known = module->functions; known; known = known->next)
    if (known->name == name) {
      *function = known->handle;
      return ROOTC_OK;
    }
  auto *made = (Function *)calloc(1, sizeof(Function));
  if (!made)
    return outOfMemory(context);
  int status = device->api->find(context, device->state, module->handle, name,
                                 &made->handle);
  if (status != ROOTC_OK) {
    free(made);
    return status;
  }
  made->name = name;
  made->next = module->functions;
  module->functions = made;
  *function = made->handle;
  return ROOTC_OK;
}

//===- DeviceMemory.cpp - Host memory that a device has copies of ---------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "DeviceState.h"

namespace {

void forget(rootc_device *device, Range *range) {
  if (range->own)
    drop(device, range->copy);
  free(range);
}

/// Copies between a kept range and its copy.
int copy(rootc_context *context, char *host, size_t bytes, bool up) {
  int status = ROOTC_OK;
  rootc_device *device = deviceWithMemory(context, status);
  if (!device)
    return status;
  if (!bytes)
    return ROOTC_OK;
  uint64_t address = 0;
  {
    Locked locked(device);
    for (Range *range = device->ranges; range; range = range->next)
      if (isWithin(host, bytes, range->host, range->copy.bytes))
        address = range->copy.address + (host - range->host);
  }
  if (!address) {
    rootc_support_error(context, "the device has no copy of this memory; "
                                 "device_keep makes one");
    return ROOTC_ERROR_ARGUMENT;
  }
  rootc_lane *lane = takeLane(context, device);
  if (!lane)
    return ROOTC_ERROR_DEVICE;
  const rootc_device_api &api = *lane->device->api;
  void *state = lane->device->state;
  status =
      up ? api.upload(context, state, lane->stream, address, host, bytes)
         : api.download(context, state, lane->stream, host, address, bytes);
  int last = api.synchronise(context, state, lane->stream);
  giveLane(lane);
  return status != ROOTC_OK ? status : last;
}

} // namespace

static void addRange(rootc_device *device, Range *range) {
  Locked locked(device);
  range->next = device->ranges;
  device->ranges = range;
}

int rootc_support_device_keep(rootc_context *context, void *host,
                              size_t bytes) {
  int status = ROOTC_OK;
  rootc_device *device = bytes ? deviceWithMemory(context, status) : nullptr;
  if (!device)
    return status;
  auto *range = (Range *)calloc(1, sizeof(Range));
  if (!range)
    return outOfMemory(context);
  range->host = (char *)host;
  range->own = true;
  if (!have(device, range->copy, bytes)) {
    emptyIdleLanes(device);
    if (!have(device, range->copy, bytes)) {
      int64_t largest;
      rootc_support_error(
          context,
          "%lld MiB of the device's memory cannot be had; %lld MiB are free",
          (long long)(bytes >> 20) + 1,
          (long long)(device->api->free_bytes(device->state, &largest) >> 20));
      free(range);
      return ROOTC_ERROR_MEMORY;
    }
  }
  addRange(device, range);
  status = copy(context, (char *)host, bytes, true);
  if (status != ROOTC_OK)
    rootc_support_device_drop(device, host);
  return status;
}

void rootc_support_device_drop(rootc_device *device, void *host) {
  device = deviceWithMemory(device);
  if (!device)
    return;
  Range *found = nullptr;
  {
    Locked locked(device);
    for (Range **at = &device->ranges; *at && !found;
         at = found ? at : &(*at)->next)
      if ((*at)->host == host) {
        found = *at;
        *at = found->next;
      }
  }
  if (!found)
    return;
  forget(device, found);
}

int rootc_support_device_adopt(rootc_context *context, void *host,
                               uint64_t address, size_t bytes) {
  int status = ROOTC_OK;
  rootc_device *device = bytes ? deviceWithMemory(context, status) : nullptr;
  if (!device)
    return status;
  // What entries ask of an arena is asked of its address.
  if (((uint64_t)host ^ address) % 64) {
    rootc_support_error(context, "memory of a device has to lie as the host's "
                                 "does, counted from a multiple of 64 bytes");
    return ROOTC_ERROR_ARGUMENT;
  }
  auto *range = (Range *)calloc(1, sizeof(Range));
  if (!range)
    return outOfMemory(context);
  range->host = (char *)host;
  range->copy = {address, bytes};
  addRange(device, range);
  return ROOTC_OK;
}

int rootc_support_device_upload(rootc_context *context, const void *host,
                                size_t bytes) {
  return copy(context, (char *)host, bytes, true);
}

int rootc_support_device_download(rootc_context *context, void *host,
                                  size_t bytes) {
  return copy(context, (char *)host, bytes, false);
}

//===- DeviceState.h - What a device keeps ----------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// For Device.cpp, DeviceLanes.cpp, DeviceMemory.cpp and DeviceRun.cpp alone,
// which are compiled as one source.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_DEVICESTATE_H
#define ROOTC_DEVICESTATE_H

#include "Device.h"
#include <stdio.h>
#include <stdlib.h>

namespace {

/// Host memory that the device has a copy of.
struct Range {
  char *host;
  rootc_block copy;
  bool own; // and not the caller's
  Range *next;
};

/// Host memory that the device may read while the host goes on.
struct Pinned {
  char *host;
  size_t bytes;
  bool locked; // by the driver
  Pinned *next;
};

/// The copy of an image that goes up ahead of its call.
struct Ahead {
  char *image; // null: it is no one's, and nothing is under way
  size_t bytes;
  rootc_block copy;
  void *stream;
  Ahead *next;
};

struct Function {
  const char *name;
  void *handle;
  Function *next;
};

struct Module {
  const char *text;
  void *handle;
  Function *functions;
  Module *next;
};

const int moduleBuckets = 256;

} // namespace

struct rootc_device {
  const rootc_device_api *api;
  void *state;
  pthread_mutex_t lock; // guards what is below
  Range *ranges;
  Pinned *pinned;
  Ahead *ahead;
  rootc_lane *idle;
  Module *modules[moduleBuckets];
};

namespace {

const rootc_device_api &hostApi() { return *rootc_host.device_api(); }

struct Locked {
  rootc_device *device;
  explicit Locked(rootc_device *device) : device(device) {
    pthread_mutex_lock(&device->lock);
  }
  ~Locked() { pthread_mutex_unlock(&device->lock); }
  Locked(const Locked &) = delete;
};

int outOfMemory(rootc_context *context) {
  rootc_support_error(context, "memory ran out");
  return ROOTC_ERROR_MEMORY;
}

/// Whether [at, at + bytes) lies in [host, host + all).
bool isWithin(const char *at, size_t bytes, const char *host, size_t all) {
  return at >= host && at < host + all && bytes <= all - (at - host);
}

void drop(rootc_device *device, rootc_block &block) {
  if (block.address)
    device->api->free(device->state, block.address, block.bytes);
  block = {};
}

bool have(rootc_device *device, rootc_block &block, size_t bytes) {
  if (block.bytes >= bytes)
    return true;
  drop(device, block);
  block.address = device->api->allocate(device->state, bytes);
  block.bytes = block.address ? bytes : 0;
  return block.address != 0;
}

// Device.cpp
/// The context's device, or the first one; null and a message if there is none.
rootc_device *deviceOf(rootc_context *context);
/// Of an entry that is about a device's memory, and has nothing to do (null and
/// ROOTC_OK) where that is the host's.
rootc_device *deviceWithMemory(rootc_context *context, int &status);
/// Of an entry that is given no context: null is the first device.
rootc_device *deviceWithMemory(rootc_device *device);

// DeviceLanes.cpp
/// An idle lane, or a new one; null and a message where it cannot be had.
rootc_lane *takeLane(rootc_context *context, rootc_device *device);
void giveLane(rootc_lane *lane);
/// Gives back the memory of a lane that nothing runs in.
void emptyLane(rootc_lane *lane);
/// Gives back all memory that can be had without losing anything: that of idle
/// lanes, and copies made ahead.
void emptyIdleLanes(rootc_device *device);

// DeviceMemory.cpp
void forget(rootc_device *device, Range *range);

// DeviceAhead.cpp
/// Gives the lane the stream and the copy of an image that went up ahead; false
/// if it did not.
bool takeAhead(rootc_lane *lane, const rootc_argument &image);
/// Waits until nothing of [host, host + bytes) is going up any more, which is
/// no one's then. The device's lock is held.
void endAhead(rootc_device *device, const char *host, size_t bytes);
/// Gives back the memory of all copies. The device's lock is held.
void emptyAhead(rootc_device *device);

} // namespace

#endif // ROOTC_DEVICESTATE_H

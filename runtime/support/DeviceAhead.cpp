//===- DeviceAhead.cpp - Images that go up ahead of their call ------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A copy has a stream of its own, so that it goes on beside a program. The
// program that takes it runs in that stream, behind the copy, and nobody waits:
// its lane and the copy exchange streams.
//
//===----------------------------------------------------------------------===//

#include "DeviceState.h"

namespace {

bool takeAhead(rootc_lane *lane, const rootc_argument &image) {
  rootc_device *device = lane->device;
  Locked locked(device);
  for (Ahead *ahead = device->ahead; ahead; ahead = ahead->next) {
    if (ahead->image != image.host || ahead->bytes < image.bytes)
      continue;
    rootc_block &staged = lane->staged[ROOTC_ARENA_IMAGE];
    rootc_block block = staged;
    staged = ahead->copy;
    ahead->copy = block;
    void *stream = lane->stream;
    lane->stream = ahead->stream;
    ahead->stream = stream;
    ahead->image = nullptr;
    return true;
  }
  return false;
}

void finish(Ahead *ahead, rootc_device *device) {
  rootc_context ignored = {};
  if (ahead->image)
    device->api->synchronise(&ignored, device->state, ahead->stream);
  ahead->image = nullptr;
}

void endAhead(rootc_device *device, const char *host, size_t bytes) {
  for (Ahead *ahead = device->ahead; ahead; ahead = ahead->next)
    if (ahead->image && isWithin(ahead->image, 0, host, bytes))
      finish(ahead, device);
}

void emptyAhead(rootc_device *device) {
  for (Ahead *ahead = device->ahead; ahead; ahead = ahead->next) {
    finish(ahead, device);
    drop(device, ahead->copy);
  }
}

/// One that is no one's, whose stream has ended.
Ahead *newAhead(rootc_context *context, rootc_device *device) {
  for (Ahead *ahead = device->ahead; ahead; ahead = ahead->next)
    if (!ahead->image)
      return ahead;
  auto *ahead = (Ahead *)calloc(1, sizeof(Ahead));
  if (!ahead) {
    outOfMemory(context);
    return nullptr;
  }
  if (device->api->open_stream(context, device->state, &ahead->stream) !=
      ROOTC_OK) {
    free(ahead);
    return nullptr;
  }
  ahead->next = device->ahead;
  device->ahead = ahead;
  return ahead;
}

} // namespace

int rootc_support_device_pin(rootc_context *context, void *host, size_t bytes) {
  int status = ROOTC_OK;
  rootc_device *device = bytes ? deviceWithMemory(context, status) : nullptr;
  if (!device)
    return status;
  auto *pinned = (Pinned *)calloc(1, sizeof(Pinned));
  if (!pinned)
    return outOfMemory(context);
  pinned->host = (char *)host;
  pinned->bytes = bytes;
  pinned->locked = device->api->pin(device->state, host, bytes);
  Locked locked(device);
  pinned->next = device->pinned;
  device->pinned = pinned;
  return ROOTC_OK;
}

void rootc_support_device_unpin(rootc_device *device, void *host) {
  device = deviceWithMemory(device);
  if (!device)
    return;
  Locked locked(device);
  for (Pinned **at = &device->pinned; *at; at = &(*at)->next) {
    Pinned *pinned = *at;
    if (pinned->host != host)
      continue;
    *at = pinned->next;
    endAhead(device, pinned->host, pinned->bytes);
    if (pinned->locked)
      device->api->unpin(device->state, pinned->host);
    free(pinned);
    return;
  }
}

int rootc_support_device_ahead(rootc_context *context, const float *image,
                               size_t bytes) {
  int status = ROOTC_OK;
  rootc_device *device = bytes ? deviceWithMemory(context, status) : nullptr;
  if (!device)
    return status;
  auto *host = (char *)image;
  Locked locked(device);
  const Pinned *pinned = device->pinned;
  while (pinned && !isWithin(host, bytes, pinned->host, pinned->bytes))
    pinned = pinned->next;
  if (!pinned) {
    rootc_support_error(context, "this image was not given to device_pin, "
                                 "which has to come before device_ahead");
    return ROOTC_ERROR_ARGUMENT;
  }
  endAhead(device, host, 1); // of the same image: it begins again
  Ahead *ahead = newAhead(context, device);
  if (!ahead)
    return ROOTC_ERROR_DEVICE;
  if (!have(device, ahead->copy, bytes))
    return ROOTC_OK; // the call copies it itself
  status = device->api->upload(context, device->state, ahead->stream,
                               ahead->copy.address, image, bytes);
  ahead->image = status == ROOTC_OK ? host : nullptr;
  ahead->bytes = bytes;
  return status;
}

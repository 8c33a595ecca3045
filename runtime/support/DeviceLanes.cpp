//===- DeviceLanes.cpp - Streams, and memory of what runs in them ---------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "DeviceState.h"

namespace {

rootc_lane *takeLane(rootc_context *context, rootc_device *device) {
  {
    Locked locked(device);
    if (rootc_lane *lane = device->idle) {
      device->idle = lane->next;
      return lane;
    }
  }
  auto *lane = (rootc_lane *)calloc(1, sizeof(rootc_lane));
  if (!lane) {
    outOfMemory(context);
    return nullptr;
  }
  lane->device = device;
  if (device->api->open_stream(context, device->state, &lane->stream) !=
      ROOTC_OK) {
    free(lane);
    return nullptr;
  }
  return lane;
}

void giveLane(rootc_lane *lane) {
  Locked locked(lane->device);
  lane->next = lane->device->idle;
  lane->device->idle = lane;
}

/// Gives back those that no kernel is using. Nothing is under way.
void dropTemporaries(rootc_lane *lane) {
  for (rootc_temporary **at = &lane->temporaries; *at;) {
    rootc_temporary *temporary = *at;
    if (temporary->used) {
      at = &temporary->next;
      continue;
    }
    *at = temporary->next;
    drop(lane->device, temporary->block);
    free(temporary);
  }
}

void emptyLane(rootc_lane *lane) {
  drop(lane->device, lane->workspace);
  for (rootc_block &block : lane->staged)
    drop(lane->device, block);
  dropTemporaries(lane);
}

void emptyIdleLanes(rootc_device *device) {
  Locked locked(device);
  for (rootc_lane *lane = device->idle; lane; lane = lane->next)
    emptyLane(lane);
  emptyAhead(device);
}

} // namespace

uint64_t rootc_support_take_temporary(rootc_lane *lane, size_t bytes) {
  rootc_temporary *best = nullptr;
  for (rootc_temporary *at = lane->temporaries; at; at = at->next)
    if (!at->used && at->block.bytes >= bytes &&
        (!best || at->block.bytes < best->block.bytes))
      best = at;
  if (!best) {
    best = (rootc_temporary *)calloc(1, sizeof(rootc_temporary));
    if (!best)
      return 0;
    if (!have(lane->device, best->block, bytes)) {
      rootc_context ignored = {};
      lane->device->api->synchronise(&ignored, lane->device->state,
                                     lane->stream);
      emptyIdleLanes(lane->device);
      dropTemporaries(lane);
      if (!have(lane->device, best->block, bytes)) {
        free(best);
        return 0;
      }
    }
    best->next = lane->temporaries;
    lane->temporaries = best;
  }
  best->used = true;
  return best->block.address;
}

void rootc_support_give_temporary(rootc_lane *lane, uint64_t address) {
  for (rootc_temporary *at = lane->temporaries; at; at = at->next)
    if (at->block.address == address)
      at->used = false;
}

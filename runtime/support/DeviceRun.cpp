//===- DeviceRun.cpp - An entry on a device -------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "DeviceState.h"

namespace {

/// Bytes of each image among an entry's arguments and in the workspace.
int64_t bytesPerImage(int32_t program, int64_t n,
                      const rootc_argument *arguments) {
  int64_t bytes = rootc_host.programs[program].batch_bytes;
  const int ofImages[] = {ROOTC_ARENA_IMAGE, ROOTC_ARENA_LABELS,
                          ROOTC_ARENA_SAMPLES, ROOTC_ARENA_LOGITS,
                          ROOTC_ARENA_INPUT_GRADIENT};
  for (int arena : ofImages)
    bytes += arguments[arena].bytes / n;
  return bytes;
}

struct DeviceRun {
  rootc_context *context;
  rootc_lane *lane;
  int32_t program;
  int64_t n;
  const rootc_argument *arguments;
  uint64_t kept[ROOTC_ARENA_COUNT] = {};
  int64_t workspaceBytes = 0;
  bool imageIsThere = false;

  rootc_device *device() const { return lane->device; }
  bool isStaged(int arena) const {
    return arguments[arena].host && !kept[arena] && arguments[arena].bytes;
  }
  const char *name() const { return rootc_support_program_name(program); }

  /// Finds the arguments that the device has copies of.
  int findKept() {
    Locked locked(device());
    for (int arena = 0; arena < ROOTC_ARENA_WORKSPACE; ++arena) {
      const rootc_argument &argument = arguments[arena];
      for (Range *range = device()->ranges; argument.host && range;
           range = range->next) {
        if (argument.host < range->host ||
            argument.host >= range->host + range->copy.bytes)
          continue;
        size_t offset = argument.host - range->host;
        if (argument.bytes > range->copy.bytes - offset) {
          rootc_support_error(context,
                              "%s: an argument of %llu bytes reaches beyond "
                              "what device_keep was given",
                              name(), (unsigned long long)argument.bytes);
          return ROOTC_ERROR_ARGUMENT;
        }
        kept[arena] = range->copy.address + offset;
      }
    }
    return ROOTC_OK;
  }

  /// Gives back blocks that are too small, and says how much is to be had.
  int64_t makeRoom() {
    int64_t missing = 0;
    auto need = [&](rootc_block &block, size_t bytes) {
      if (block.bytes >= bytes)
        return;
      drop(device(), block);
      missing += bytes;
    };
    for (int arena = 0; arena < ROOTC_ARENA_WORKSPACE; ++arena)
      if (isStaged(arena))
        need(lane->staged[arena], arguments[arena].bytes);
    need(lane->workspace, workspaceBytes);
    return missing;
  }

  /// Says how much memory is needed, and which batch would fit.
  int refuse() {
    int64_t largest = 0, held = lane->workspace.bytes, needed = workspaceBytes;
    for (int arena = 0; arena < ROOTC_ARENA_WORKSPACE; ++arena) {
      held += lane->staged[arena].bytes;
      needed += isStaged(arena) ? arguments[arena].bytes : 0;
    }
    int64_t room = device()->api->free_bytes(device()->state, &largest) + held;
    const int mebibyte = 20;
    if (program != ROOTC_INFER && program != ROOTC_TRAIN &&
        program != ROOTC_GRAD) {
      rootc_support_error(context,
                          "%s needs %lld MiB of the device's memory, and %lld "
                          "MiB can be had",
                          name(), (long long)(needed >> mebibyte) + 1,
                          (long long)(room >> mebibyte));
      return ROOTC_ERROR_MEMORY;
    }
    int64_t each = bytesPerImage(program, n, arguments);
    int64_t fits = (room - (needed - n * each)) / each;
    const rootc_host_program &host = rootc_host.programs[program];
    if (host.batch_bytes > 0) {
      int64_t inOne = (largest - host.fixed_bytes) / host.batch_bytes;
      fits = inOne < fits ? inOne : fits;
    }
    // What could be had, but not as it is cut up: less may fit.
    fits = fits >= n ? n - 1 : fits;
    char advice[96] = "not even one image fits";
    if (fits > 0)
      snprintf(advice, sizeof advice, "a batch of at most %lld fits",
               (long long)fits);
    rootc_support_error(context,
                        "%s: a batch of %lld images needs %lld MiB of the "
                        "device's memory, and %lld MiB can be had; %s",
                        name(), (long long)n,
                        (long long)(needed >> mebibyte) + 1,
                        (long long)(room >> mebibyte), advice);
    return ROOTC_ERROR_MEMORY;
  }

  bool allocate() {
    int64_t missing = makeRoom(), largest = 0;
    if (missing > device()->api->free_bytes(device()->state, &largest) ||
        (!lane->workspace.bytes && workspaceBytes > largest))
      return false;
    for (int arena = 0; arena < ROOTC_ARENA_WORKSPACE; ++arena)
      if (isStaged(arena) &&
          !have(device(), lane->staged[arena], arguments[arena].bytes))
        return false;
    return have(device(), lane->workspace, workspaceBytes);
  }

  int execute() {
    const rootc_device_api &api = *device()->api;
    workspaceBytes = rootc_support_workspace_bytes(program, n);
    int status = findKept();
    if (status != ROOTC_OK)
      return status;
    if (isStaged(ROOTC_ARENA_IMAGE))
      imageIsThere = takeAhead(lane, arguments[ROOTC_ARENA_IMAGE]);
    if (makeRoom() && !allocate()) {
      emptyIdleLanes(device());
      if (!allocate())
        return refuse();
    }
    char *arenas[ROOTC_ARENA_COUNT] = {};
    arenas[ROOTC_ARENA_WORKSPACE] = (char *)lane->workspace.address;
    for (int arena = 0; arena < ROOTC_ARENA_WORKSPACE; ++arena) {
      const rootc_argument &argument = arguments[arena];
      arenas[arena] =
          (char *)(isStaged(arena) ? lane->staged[arena].address : kept[arena]);
      bool isThere = arena == ROOTC_ARENA_IMAGE && imageIsThere;
      if (isStaged(arena) && argument.read && !isThere && status == ROOTC_OK)
        status =
            api.upload(context, device()->state, lane->stream,
                       (uint64_t)arenas[arena], argument.host, argument.bytes);
    }
    if (status == ROOTC_OK) {
      lane->arenas = arenas;
      lane->arguments = arguments;
      rootc_frame frame = {context, nullptr, lane};
      status = rootc_support_run(&frame, program, arenas, n);
    }
    for (int arena = 0; arena < ROOTC_ARENA_WORKSPACE; ++arena)
      if (isStaged(arena) && arguments[arena].written && status == ROOTC_OK)
        status = api.download(context, device()->state, lane->stream,
                              arguments[arena].host, (uint64_t)arenas[arena],
                              arguments[arena].bytes);
    // After an error too: nothing may go on with the host's memory.
    int last = api.synchronise(context, device()->state, lane->stream);
    return status != ROOTC_OK ? status : last;
  }
};

} // namespace

int rootc_support_run_on_device(rootc_context *context, int32_t program,
                                int64_t n, const rootc_argument *arguments) {
  rootc_device *device = deviceOf(context);
  rootc_lane *lane = device ? takeLane(context, device) : nullptr;
  if (!lane)
    return ROOTC_ERROR_DEVICE;
  int status = DeviceRun{context, lane, program, n, arguments}.execute();
  giveLane(lane);
  return status;
}

/// Bytes of a rootc_element.
static size_t bytesOf(int32_t element) {
  const size_t bytes[ROOTC_ELEMENT_COUNT] = {4, 8, 1, 4, 2};
  return bytes[element];
}

int rootc_support_show(rootc_frame *frame, const rootc_call *call, int64_t n) {
  rootc_context *context = frame->context;
  rootc_lane *lane = frame->lane;
  const rootc_device_api &api = *lane->device->api;
  int status = ROOTC_OK;
  for (int32_t i = 0; i < call->operand_count && status == ROOTC_OK; ++i) {
    const rootc_buffer &buffer =
        rootc_host.buffers[rootc_host.operands[call->first_operand + i]];
    size_t offset = buffer.offset + n * buffer.per_image;
    size_t bytes = bytesOf(buffer.element);
    for (int32_t j = 0; j < buffer.rank; ++j)
      bytes *= buffer.extents[j] < 0 ? n : buffer.extents[j];
    char *host = nullptr;
    if (buffer.arena == ROOTC_ARENA_LOGITS)
      host = lane->arguments[buffer.arena].host;
    else if (buffer.arena == ROOTC_ARENA_WORKSPACE &&
             offset + bytes <= context->workspace_bytes)
      host = (char *)context->workspace;
    if (host)
      status = api.download(
          context, lane->device->state, lane->stream, host + offset,
          (uint64_t)(lane->arenas[buffer.arena] + offset), bytes);
  }
  int last = api.synchronise(context, lane->device->state, lane->stream);
  return status != ROOTC_OK ? status : last;
}

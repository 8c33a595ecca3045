//===- Device.cpp - Devices, their lanes, what is kept in their memory ----===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

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

void drop(rootc_device *device, rootc_block &block) {
  if (block.address)
    device->api->free(device->state, block.address, block.bytes);
  block = {};
}

void forget(rootc_device *device, Range *range) {
  if (range->own)
    drop(device, range->copy);
  free(range);
}

bool have(rootc_device *device, rootc_block &block, size_t bytes) {
  if (block.bytes >= bytes)
    return true;
  drop(device, block);
  block.address = device->api->allocate(device->state, bytes);
  block.bytes = block.address ? bytes : 0;
  return block.address != 0;
}

//===----------------------------------------------------------------------===//
// Lanes
//===----------------------------------------------------------------------===//

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
}

//===----------------------------------------------------------------------===//
// An entry on a device
//===----------------------------------------------------------------------===//

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
      if (isStaged(arena) && argument.read && status == ROOTC_OK)
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

pthread_mutex_t firstLock = PTHREAD_MUTEX_INITIALIZER;
rootc_device *firstDevice; // guarded by firstLock; of contexts without one

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
  if (!firstDevice && rootc_support_device_open(context, 0) == ROOTC_OK) {
    firstDevice = context->device;
    context->device = nullptr;
  }
  rootc_device *device = firstDevice;
  pthread_mutex_unlock(&firstLock);
  return device;
}

/// Copies between a kept range and its copy.
int copy(rootc_context *context, char *host, size_t bytes, bool up) {
  if (hostApi().shares_memory)
    return ROOTC_OK;
  context->error[0] = 0;
  rootc_device *device = deviceOf(context);
  if (!device)
    return ROOTC_ERROR_DEVICE;
  if (!bytes)
    return ROOTC_OK;
  uint64_t address = 0;
  {
    Locked locked(device);
    for (Range *range = device->ranges; range; range = range->next)
      if (host >= range->host && host < range->host + range->copy.bytes &&
          bytes <= range->copy.bytes - (host - range->host))
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
  int status =
      up ? api.upload(context, state, lane->stream, address, host, bytes)
         : api.download(context, state, lane->stream, host, address, bytes);
  int last = api.synchronise(context, state, lane->stream);
  giveLane(lane);
  return status != ROOTC_OK ? status : last;
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
      nullptr, nullptr, nullptr,  nullptr,     nullptr};
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
  while (rootc_lane *lane = device->idle) {
    device->idle = lane->next;
    emptyLane(lane);
    api.close_stream(device->state, lane->stream);
    free(lane);
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

static void addRange(rootc_device *device, Range *range) {
  Locked locked(device);
  range->next = device->ranges;
  device->ranges = range;
}

int rootc_support_device_keep(rootc_context *context, void *host,
                              size_t bytes) {
  if (hostApi().shares_memory || !bytes)
    return ROOTC_OK;
  context->error[0] = 0;
  rootc_device *device = deviceOf(context);
  if (!device)
    return ROOTC_ERROR_DEVICE;
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
  int status = copy(context, (char *)host, bytes, true);
  if (status != ROOTC_OK)
    rootc_support_device_drop(device, host);
  return status;
}

void rootc_support_device_drop(rootc_device *device, void *host) {
  if (hostApi().shares_memory)
    return;
  if (!device) {
    pthread_mutex_lock(&firstLock);
    device = firstDevice;
    pthread_mutex_unlock(&firstLock);
  }
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
  if (hostApi().shares_memory || !bytes)
    return ROOTC_OK;
  context->error[0] = 0;
  rootc_device *device = deviceOf(context);
  if (!device)
    return ROOTC_ERROR_DEVICE;
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

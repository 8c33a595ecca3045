//===- OpenCL.cpp - Devices of OpenCL -------------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Memory is OpenCL 2's shared virtual memory, of the coarse kind that every
// device with any of it has: a buffer is an address, wherever in an arena it
// lies. (Parts of a cl_mem have to begin at what the device's largest vector is
// aligned to.)
//
//===----------------------------------------------------------------------===//

#include "runtime/support/device/Driver.h"

namespace {

/// Every function returns or stores one of these; zero is success.
typedef int32_t ClResult;

struct ClDriver {
  ClResult (*platforms)(uint32_t room, void **platforms, uint32_t *count);
  ClResult (*devices)(void *platform, uint64_t type, uint32_t room,
                      void **devices, uint32_t *count);
  ClResult (*deviceInfo)(void *device, uint32_t what, size_t room, void *value,
                         size_t *bytes);
  void *(*createContext)(const intptr_t *properties, uint32_t count,
                         void *const *devices, void (*notify)(void), void *data,
                         ClResult *);
  ClResult (*releaseContext)(void *context);
  void *(*createQueue)(void *context, void *device, uint64_t properties,
                       ClResult *);
  ClResult (*releaseQueue)(void *queue);
  ClResult (*finish)(void *queue);
  void *(*allocate)(void *context, uint64_t flags, size_t bytes,
                    uint32_t alignment);
  void (*free)(void *context, void *address);
  ClResult (*copy)(void *queue, uint32_t wait, void *to, const void *from,
                   size_t bytes, uint32_t events, const void *list,
                   void *event);
  void *(*createProgram)(void *context, uint32_t count, const char **texts,
                         const size_t *bytes, ClResult *);
  ClResult (*buildProgram)(void *program, uint32_t count, void *const *devices,
                           const char *options, void (*notify)(void),
                           void *data);
  ClResult (*releaseProgram)(void *program);
  void *(*createKernel)(void *program, const char *name, ClResult *);
  ClResult (*releaseKernel)(void *kernel);
  ClResult (*setArgument)(void *kernel, uint32_t index, size_t bytes,
                          const void *value);
  ClResult (*setPointer)(void *kernel, uint32_t index, const void *address);
  ClResult (*launch)(void *queue, void *kernel, uint32_t dimensions,
                     const size_t *offset, const size_t *global,
                     const size_t *local, uint32_t events, const void *list,
                     void *event);
};

ClDriver cl;
pthread_mutex_t clLock = PTHREAD_MUTEX_INITIALIZER;
bool clLoaded; // guarded by clLock

// Of OpenCL's headers.
const uint64_t allDevices = 0xffffffff, readWrite = 1;
const uint32_t deviceNameInfo = 0x102b, memoryInfo = 0x101f,
               largestInfo = 0x1010, doublesInfo = 0x1032, sharedInfo = 0x1053;
const ClResult outOfHostMemory = -6, outOfDeviceMemory = -4,
               outOfResources = -5;

const uint32_t mostPlatforms = 16, mostDevices = 64;

int clError(rootc_context *context, const char *what, ClResult result) {
  if (!result)
    return ROOTC_OK;
  rootc_support_error(context, "OpenCL: %s failed with code %d", what, result);
  return result == outOfHostMemory || result == outOfDeviceMemory ||
                 result == outOfResources
             ? ROOTC_ERROR_MEMORY
             : ROOTC_ERROR_DEVICE;
}

bool startOpenCL(rootc_context *context) {
  const char *remedy =
      "the model needs a device of OpenCL 2 or later and its driver: install "
      "them, or compile the network for the CPU, with --target=host";
#define ROOTC_DRIVER_FUNCTION(member, name)                                    \
  {                                                                            \
    (void **)&cl.member, name                                                  \
  }
  const DriverFunction functions[] = {
      ROOTC_DRIVER_FUNCTION(platforms, "clGetPlatformIDs"),
      ROOTC_DRIVER_FUNCTION(devices, "clGetDeviceIDs"),
      ROOTC_DRIVER_FUNCTION(deviceInfo, "clGetDeviceInfo"),
      ROOTC_DRIVER_FUNCTION(createContext, "clCreateContext"),
      ROOTC_DRIVER_FUNCTION(releaseContext, "clReleaseContext"),
      ROOTC_DRIVER_FUNCTION(createQueue, "clCreateCommandQueue"),
      ROOTC_DRIVER_FUNCTION(releaseQueue, "clReleaseCommandQueue"),
      ROOTC_DRIVER_FUNCTION(finish, "clFinish"),
      ROOTC_DRIVER_FUNCTION(allocate, "clSVMAlloc"),
      ROOTC_DRIVER_FUNCTION(free, "clSVMFree"),
      ROOTC_DRIVER_FUNCTION(copy, "clEnqueueSVMMemcpy"),
      ROOTC_DRIVER_FUNCTION(createProgram, "clCreateProgramWithSource"),
      ROOTC_DRIVER_FUNCTION(buildProgram, "clBuildProgram"),
      ROOTC_DRIVER_FUNCTION(releaseProgram, "clReleaseProgram"),
      ROOTC_DRIVER_FUNCTION(createKernel, "clCreateKernel"),
      ROOTC_DRIVER_FUNCTION(releaseKernel, "clReleaseKernel"),
      ROOTC_DRIVER_FUNCTION(setArgument, "clSetKernelArg"),
      ROOTC_DRIVER_FUNCTION(setPointer, "clSetKernelArgSVMPointer"),
      ROOTC_DRIVER_FUNCTION(launch, "clEnqueueNDRangeKernel")};
#undef ROOTC_DRIVER_FUNCTION
  pthread_mutex_lock(&clLock);
  if (!clLoaded)
    clLoaded = loadDriver(context, "libOpenCL.so.1", "OpenCL driver", remedy,
                          functions, sizeof functions / sizeof functions[0]);
  bool loaded = clLoaded;
  pthread_mutex_unlock(&clLock);
  return loaded;
}

/// The devices of all platforms, one after another; how many there are.
uint32_t allClDevices(void **devices) {
  void *platforms[mostPlatforms];
  uint32_t platformCount = 0, count = 0;
  if (cl.platforms(mostPlatforms, platforms, &platformCount))
    return 0; // there is none
  for (uint32_t i = 0; i < platformCount && i < mostPlatforms; ++i) {
    uint32_t found = 0, room = mostDevices - count;
    if (room &&
        !cl.devices(platforms[i], allDevices, room, devices + count, &found))
      count += found < room ? found : room;
  }
  return count;
}

/// A number that a device tells of itself; 0 where it does not know of it.
uint64_t clNumber(void *device, uint32_t what) {
  uint64_t value = 0;
  return cl.deviceInfo(device, what, sizeof value, &value, nullptr) ? 0 : value;
}

int32_t countOpenCL(rootc_context *context) {
  void *devices[mostDevices];
  return startOpenCL(context) ? (int32_t)allClDevices(devices) : -1;
}

int describeOpenCL(rootc_context *, int32_t index, rootc_device_info *info) {
  void *devices[mostDevices];
  *info = {};
  const char *problem = "";
  if ((uint32_t)index >= allClDevices(devices))
    problem = "is gone";
  else {
    void *device = devices[index];
    cl.deviceInfo(device, deviceNameInfo, sizeof info->name - 1, info->name,
                  nullptr);
    info->memory_bytes = (int64_t)clNumber(device, memoryInfo);
    if (!(clNumber(device, sharedInfo) & 1))
      problem = "has no shared virtual memory (OpenCL 2), which the model "
                "needs; choose another device";
    else if (strstr(rootc_host.model->target, "cl_doubles") &&
             !clNumber(device, doublesInfo))
      problem = "has no float64, which the model needs; choose another device";
  }
  snprintf(info->problem, sizeof info->problem, "%s", problem);
  return ROOTC_OK;
}

struct ClDevice {
  void *device, *context;
  int64_t used; // atomic; bytes
};

int openOpenCL(rootc_context *context, int32_t index, void **state) {
  void *devices[mostDevices];
  auto *made = (ClDevice *)calloc(1, sizeof(ClDevice));
  if (!made) {
    rootc_support_error(context, "memory ran out");
    return ROOTC_ERROR_MEMORY;
  }
  ClResult result = -1;
  if ((uint32_t)index < allClDevices(devices)) {
    made->device = devices[index];
    made->context =
        cl.createContext(nullptr, 1, &made->device, nullptr, nullptr, &result);
  }
  int status = clError(context, "opening a device", result);
  if (status != ROOTC_OK)
    free(made);
  else
    *state = made;
  return status;
}

void closeOpenCL(void *state) {
  cl.releaseContext(((ClDevice *)state)->context);
  free(state);
}

int openClStream(rootc_context *context, void *state, void **stream) {
  auto &device = *(ClDevice *)state;
  ClResult result = 0;
  *stream = cl.createQueue(device.context, device.device, 0, &result);
  return clError(context, "making a queue", result);
}

void closeClStream(void *, void *stream) { cl.releaseQueue(stream); }

int synchroniseOpenCL(rootc_context *context, void *, void *stream) {
  return clError(context, "running kernels", cl.finish(stream));
}

/// OpenCL does not tell what other programs have.
int64_t freeClBytes(void *state, int64_t *largest) {
  auto &device = *(ClDevice *)state;
  int64_t left = (int64_t)clNumber(device.device, memoryInfo) -
                 __atomic_load_n(&device.used, __ATOMIC_RELAXED);
  *largest = (int64_t)clNumber(device.device, largestInfo);
  *largest = *largest < left ? *largest : left;
  return left;
}

uint64_t allocateOpenCL(void *state, size_t bytes) {
  auto &device = *(ClDevice *)state;
  auto address = (uint64_t)cl.allocate(device.context, readWrite, bytes, 0);
  if (address)
    __atomic_fetch_add(&device.used, (int64_t)bytes, __ATOMIC_RELAXED);
  return address;
}

void freeOpenCL(void *state, uint64_t address, size_t bytes) {
  auto &device = *(ClDevice *)state;
  cl.free(device.context, (void *)address);
  __atomic_fetch_sub(&device.used, (int64_t)bytes, __ATOMIC_RELAXED);
}

int copyOpenCL(rootc_context *context, const char *what, void *stream, void *to,
               const void *from, size_t bytes) {
  return clError(context, what,
                 cl.copy(stream, 0, to, from, bytes, 0, nullptr, nullptr));
}

int uploadOpenCL(rootc_context *context, void *, void *stream, uint64_t to,
                 const void *from, size_t bytes) {
  return copyOpenCL(context, "copying to the device", stream, (void *)to, from,
                    bytes);
}

int downloadOpenCL(rootc_context *context, void *, void *stream, void *to,
                   uint64_t from, size_t bytes) {
  return copyOpenCL(context, "copying to the host", stream, to,
                    (const void *)from, bytes);
}

/// OpenCL has no name for it: its drivers copy as they can.
bool pinOpenCL(void *, void *, size_t) { return false; }
void unpinOpenCL(void *, void *) {}

int loadOpenCL(rootc_context *context, void *state, const char *text,
               void **module) {
  auto &device = *(ClDevice *)state;
  ClResult result = 0;
  void *program = cl.createProgram(device.context, 1, &text, nullptr, &result);
  // Everything in global memory: constant memory is too small to rely on.
  if (!result)
    result =
        cl.buildProgram(program, 1, &device.device,
                        "-D MAX_CONSTANT_BUFFER_SIZE=0 -D MAX_CONSTANT_ARGS=0",
                        nullptr, nullptr);
  *module = program;
  if (result && program)
    cl.releaseProgram(program);
  return clError(context, "compiling a kernel", result);
}

void unloadOpenCL(void *, void *module) { cl.releaseProgram(module); }

int findOpenCL(rootc_context *context, void *, void *module, const char *name,
               void **function) {
  ClResult result = 0;
  *function = cl.createKernel(module, name, &result);
  return clError(context, "finding a kernel", result);
}

void releaseOpenCL(void *, void *function) { cl.releaseKernel(function); }

int launchOpenCL(rootc_context *context, void *, void *stream, void *function,
                 const rootc_launch *launch) {
  uint32_t count = 0;
  for (; launch->sizes[count]; ++count) {
    void *argument = launch->arguments[count];
    ClResult result =
        launch->isBuffer[count]
            ? cl.setPointer(function, count,
                            (void *)((rootc_kernel_buffer *)argument)->device)
            : cl.setArgument(function, count, launch->sizes[count], argument);
    if (result)
      return clError(context, "giving a kernel its arguments", result);
  }
  // Halide's kernels have their shared memory as the last argument, and no
  // argument is of no bytes.
  ClResult result =
      cl.setArgument(function, count,
                     launch->shared_bytes ? launch->shared_bytes : 1, nullptr);
  size_t global[3], local[3];
  for (int i = 0; i < 3; ++i) {
    local[i] = launch->threads[i];
    global[i] = local[i] * launch->blocks[i];
  }
  if (!result)
    result = cl.launch(stream, function, 3, nullptr, global, local, 0, nullptr,
                       nullptr);
  return clError(context, "starting a kernel", result);
}

} // namespace

const rootc_device_api *rootc_support_opencl(void) {
  static const rootc_device_api api = {
      "opencl",          false,          countOpenCL,    describeOpenCL,
      openOpenCL,        closeOpenCL,    openClStream,   closeClStream,
      synchroniseOpenCL, freeClBytes,    allocateOpenCL, freeOpenCL,
      uploadOpenCL,      downloadOpenCL, pinOpenCL,      unpinOpenCL,
      loadOpenCL,        unloadOpenCL,   findOpenCL,     releaseOpenCL,
      launchOpenCL};
  return &api;
}
